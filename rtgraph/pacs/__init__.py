"""Archives: asking them, fetching from them and receiving what they send, into the graph."""
