"""Work that takes no time, for `benchmarks.bulk`."""

from __future__ import annotations

from edgeemo.bulk.work import Items, Work


class EmptyWork(Work):
    """Work that takes no time. Its results are as large as a prediction's path."""

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size

    def describe(self):
        return {"work": "empty"}

    def open(self) -> None:
        pass

    def run(self, items, *, workers):
        return iter(items)

    def fail(self, item, reason):
        return item

    def to_table(self, results):
        raise NotImplementedError

    def from_table(self, table):
        raise NotImplementedError


class ManyItems(Items):
    """Names that no file has."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __iter__(self):
        for number in range(self._count):
            yield f"/photos/{number // 1000:06}/photo-{number:09}.jpg"
