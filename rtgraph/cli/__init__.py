"""The command line: parse options, call one function, render, exit."""

from rtgraph.cli import asking, demo, deriving, preprocessing, reading, server
from rtgraph.cli.app import app, main

__all__ = ["app", "asking", "demo", "deriving", "main", "preprocessing", "reading", "server"]
