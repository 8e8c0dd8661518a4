"""The command line: parse options, call one function, render, exit."""

from rtgraph.cli import asking, checking, cohorts, demo, finding, querying, reading, server
from rtgraph.cli.app import app, main

__all__ = ["app", "asking", "checking", "cohorts", "demo", "finding", "main", "querying",
           "reading", "server"]
