"""The command line: parse options, call one function, render, exit."""

from rtgraph.cli import (
    administering,
    browsing,
    checking,
    cohorts,
    comparing,
    configuring,
    demo,
    deriving,
    drawing,
    examining,
    finding,
    pacs,
    preprocessing,
    querying,
    reading,
    retrieving,
    server,
)
from rtgraph.cli.app import app, main

__all__ = ["administering", "app", "browsing", "checking", "cohorts", "comparing", "configuring",
           "demo", "deriving", "drawing", "examining", "finding", "main", "pacs", "preprocessing",
           "querying", "reading", "retrieving", "server"]
