"""`python -m rtgraph` is the same as `rtgraph`."""

from rtgraph.cli import main

main()
