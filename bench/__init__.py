"""Benchmarks: generators of objects and cohorts, and the measurements made with them."""
