"""Checks and queries as `.cypher` files, and the code that loads and runs them."""
