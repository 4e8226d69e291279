"""Work that the nodes of a test's cluster can import: no images, and mishaps on demand."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from edgeemo.bulk.work import Work, decode_name, encode_name


class Echo(Work[str, tuple[str, str]]):
    """Returns each item with "ok", or with why it has none.

    An item "kill-SIGNAL", "exit", "hang", "memory" or "late-SECONDS" does what it says; "once:PATH"
    kills its process if the file is not there yet, which it makes; "file:PATH" has to exist.

    Args:
        log: File that gets a line for every item that is done; "" for none.
        block_size: As of `Work`.
    """

    def __init__(self, log: str = "", *, block_size: int = 4, name: str = "echo") -> None:
        self._log, self.block_size, self._name = log, block_size, name

    def describe(self):
        return {"work": self._name}

    def open(self):
        if self._name == "closed":
            from edgeemo.errors import EngineError

            raise EngineError("model.tflite: cannot be loaded")

    def run(self, items, *, workers):
        for item in items:
            try:
                self._act(item)
            except MemoryError:
                yield item, "there is not enough memory"
                continue
            if self._log:
                with Path(self._log).open("a") as stream:
                    stream.write(f"{item}\n")
            yield item, "ok"

    def fail(self, item, reason):
        return item, reason

    def find_path(self, item):
        return item.removeprefix("file:") if item.startswith("file:") else ""

    def to_table(self, results):
        import pyarrow

        schema = pyarrow.schema([("item", pyarrow.string()), ("result", pyarrow.string())])
        rows = [{"item": encode_name(item), "result": result} for item, result in results]
        return pyarrow.Table.from_pylist(rows, schema=schema)

    def from_table(self, table):
        return [(decode_name(row["item"]), row["result"]) for row in table.to_pylist()]

    def _act(self, item):
        kind, _, value = item.partition("-")
        if kind == "kill":
            os.kill(os.getpid(), signal.Signals[value])
        elif kind == "exit":
            os._exit(3)
        elif kind == "hang":
            time.sleep(3600)
        elif kind == "late":
            time.sleep(float(value))
        elif kind == "memory":
            bytearray(5 << 30)  # untouched, it takes no memory
        elif item.startswith("once:") and not Path(item[5:]).exists():
            Path(item[5:]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
