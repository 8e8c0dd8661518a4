"""What the graph is: declarations of nodes, properties, references and modalities; no I/O."""
