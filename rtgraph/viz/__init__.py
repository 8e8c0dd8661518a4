"""Pictures of a patient: rows to boxes and edges, positions, and the page."""
