"""The command line: parse options, call one function, render, exit."""

from rtgraph.cli import (
    browsing,
    checking,
    cohorts,
    demo,
    deriving,
    drawing,
    finding,
    pacs,
    querying,
    reading,
    retrieving,
    server,
)
from rtgraph.cli.app import app, main

__all__ = ["app", "browsing", "checking", "cohorts", "demo", "deriving", "drawing", "finding",
           "main", "pacs", "querying", "reading", "retrieving", "server"]
