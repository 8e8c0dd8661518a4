"""From files to rows: discovery, parsing, writing, and the runs that do so."""
