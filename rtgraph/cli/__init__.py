"""The command line: parse options, call one function, render, exit."""

from rtgraph.cli import asking, checking, demo, querying, reading, server
from rtgraph.cli.app import app, main

__all__ = ["app", "asking", "checking", "demo", "main", "querying", "reading", "server"]
