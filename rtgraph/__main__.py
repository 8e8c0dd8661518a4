"""The process of a command: `rtgraph` and `python -m rtgraph` alike."""

import sys

from rtgraph.cli import main

# The driver imports pandas where it is installed, to make frames of answers. No command asks for
# one, and each would begin 0.4 s later.
sys.modules["pandas"] = None  # type: ignore[assignment]

if __name__ == "__main__":
    main()

__all__ = ["main"]
