"""The command line: parse options, call one function, render, exit."""

from rtgraph.cli import (
    administering,
    asking,
    browsing,
    checking,
    cohorts,
    configuring,
    demo,
    deriving,
    examining,
    finding,
    querying,
    reading,
    server,
)
from rtgraph.cli.app import app, main

__all__ = ["administering", "app", "asking", "browsing", "checking", "cohorts", "configuring",
           "demo", "deriving", "examining", "finding", "main", "querying", "reading", "server"]
