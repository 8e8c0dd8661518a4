"""The command line: parse options, call one function, render, exit."""

from rtgraph.cli import (
    asking,
    browsing,
    checking,
    cohorts,
    comparing,
    demo,
    deriving,
    finding,
    preprocessing,
    querying,
    reading,
    server,
)
from rtgraph.cli.app import app, main

__all__ = ["app", "asking", "browsing", "checking", "cohorts", "comparing", "demo", "deriving",
           "finding", "main", "preprocessing", "querying", "reading", "server"]
