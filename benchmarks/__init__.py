"""Benchmarks: one file per verb, each beside its rivals and checked against the judge."""
