"""Work that sleeps instead of computing, for clusters with more CPUs than the machine has."""

from __future__ import annotations

import time

from edgeemo.bulk.work import Work


class SleepWork(Work[str, str]):
    """Sleeps for some time per item of a block, and returns the items.

    Args:
        seconds: Time per item.
        block_size: As of `Work`.
    """

    def __init__(self, seconds: float, *, block_size: int) -> None:
        self._seconds, self.block_size = seconds, block_size

    def describe(self):
        return {"work": "sleep", "seconds": self._seconds}

    def open(self):
        pass

    def run(self, items, *, workers):
        block = list(items)
        time.sleep(self._seconds * len(block))
        yield from block

    def fail(self, item, reason):
        return f"{item}: {reason}"

    def find_path(self, item):
        return ""

    def to_table(self, results):
        import pyarrow

        return pyarrow.table({"item": list(results)})

    def from_table(self, table):
        return table["item"].to_pylist()
