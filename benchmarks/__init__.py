"""Benchmarks of Databench beside a minimal relay; start them with ``make bench``."""
