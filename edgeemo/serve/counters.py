"""Numbers about the requests, for /metrics and for nobody else."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper ends of the buckets of durations, in seconds."""


class Counters:
    """Counts of one run; all in the thread of asyncio.

    Attributes:
        responses: Responses by status.
        predictions: Predicted images by label, "no face" and "error" included.
        durations: Number of predictions in each bucket of `BUCKETS_S`, and beyond the last.
        seconds: Sum of their durations.
        shown: Images that pages and streams were sent.
    """

    def __init__(self) -> None:
        self.responses: Counter[int] = Counter()
        self.predictions: Counter[str] = Counter()
        self.durations = [0] * (len(BUCKETS_S) + 1)
        self.seconds = 0.0
        self.shown = 0

    def count_response(self, status: int) -> None:
        """Count a response."""
        self.responses[status] += 1

    def count_prediction(self, seconds: float) -> None:
        """Count the duration of a prediction."""
        self.durations[bisect_left(BUCKETS_S, seconds)] += 1
        self.seconds += seconds
