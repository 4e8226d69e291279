"""Figures of ``edgeemo serve``, for docs/serve.md: `python -m benchmarks.serve ROW ...`."""
