"""Rows of the table of figures of `edgeemo live`, one module each; see `benchmarks.live`."""
