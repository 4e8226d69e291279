"""The finished blocks of a run: a folder of Parquet files, here or in a bucket.

    _job.json                                 what the results depend on
    part-00000012-1a2b3c4d5e6f7081.parquet    the results of block 12, and the digest of its items
    _summary.json                             written last: the run is complete

A file is complete or absent, and its name says all that a run needs to be continued. Programs that
read a folder of Parquet files as one table pass over names that begin with "_" or ".".
"""

from __future__ import annotations

import io
import json
import re
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from edgeemo.bulk.storage import open_storage
from edgeemo.bulk.work import Result
from edgeemo.errors import OutputError
from edgeemo.imaging.suffixes import is_bucket
from edgeemo.utils.locks import hold
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from edgeemo.bulk.work import Work

JOB, SUMMARY = "_job.json", "_summary.json"
_NAME = re.compile(r"part-(\d{8,})-([0-9a-f]{16})\.parquet")
_SHOWN = 40
"""Letters of a value that a message shows, at most."""


@contextmanager
def open_parts(
    address: str, work: Work[Any, Result], *, resume: bool = False, again: bool = False
) -> Iterator[Parts[Result]]:
    """Open a folder for the results of a run, which no other process uses inside the block.

    Args:
        address: A path, or an address of `edgeemo.bulk.storage.open_storage`. In a bucket nothing
            keeps another process out.
        work: The work.
        resume: Whether to continue the run that is there, if one is.
        again: Whether to remove a run that is there.

    Raises:
        BlockingIOError: If another process uses it.
        OutputError: If something is there that is not to be continued or removed, or it is a run of
            other work, or the folder cannot be used.
    """
    with _hold(address):
        yield Parts(address, work, resume=resume, again=again)


class Parts(Generic[Result]):
    """The finished blocks of a run; see `open_parts`.

    Attributes:
        address: The folder.
        finished: The digest of each finished block, by its number.
    """

    def __init__(
        self, address: str, work: Work[Any, Result], *, resume: bool = False, again: bool = False
    ) -> None:
        self.address, self._work = address, work
        self._storage = open_storage(address)
        self._names: dict[int, str] = {}
        self.finished: dict[int, str] = {}
        self._is_complete = False
        job = {"format": 1, "block_size": work.block_size, **work.describe()}
        names = {name for name in self._storage.list_names() if not name.startswith(".")}
        own = {name for name in names if name in (JOB, SUMMARY) or _NAME.fullmatch(name)}
        if own and again:
            self._remove(own)
        elif own - {JOB, SUMMARY}:
            self._continue(job, own, resume=resume)
            self._is_complete = SUMMARY in own
            return
        elif names and not own:
            raise OutputError(f"{address}: has other files in it; name an empty or new folder")
        self._storage.write(JOB, json.dumps(job, indent=2).encode())

    def read(self, number: int) -> list[Result]:
        """Return the results of a finished block.

        Raises:
            OutputError: If its file is damaged.
        """
        from pyarrow import parquet

        name = self._names[number]
        try:
            return self._work.from_table(parquet.read_table(io.BytesIO(self._storage.read(name))))
        except Exception as error:  # of many kinds
            raise OutputError(
                f"{self.address}/{name}: cannot be read ({one_line(error)[:200]}); remove it, and "
                "--resume makes it again"
            ) from None

    def write(self, number: int, digest: str, results: list[Result]) -> None:
        """Keep the results of a block.

        Raises:
            OutputError: If they cannot be written.
        """
        from pyarrow import parquet

        if self._is_complete:  # no longer: there are more images than before
            self._storage.delete(SUMMARY)
            self._is_complete = False
        stream = io.BytesIO()
        parquet.write_table(self._work.to_table(results), stream, compression="zstd")
        name = f"part-{number:08d}-{digest}.parquet"
        self._storage.write(name, stream.getvalue())
        self._names[number], self.finished[number] = name, digest

    def complete(self, summary: Mapping[str, object]) -> None:
        """Write the summary, which declares the run complete.

        Raises:
            OutputError: If it cannot be written.
        """
        self._storage.write(SUMMARY, json.dumps(summary, indent=2).encode())

    def _continue(self, job: Mapping[str, object], names: set[str], *, resume: bool) -> None:
        if not resume:
            state = "a complete run" if SUMMARY in names else "an unfinished run"
            raise OutputError(
                f"{self.address}: has {state}; --resume continues it, --again begins again"
            )
        try:
            there = json.loads(self._storage.read(JOB))
            keys = sorted({*there, *job}, key=lambda key: (key != "work", key))
            other = [key for key in keys if there.get(key) != job.get(key)]
        except (OSError, ValueError, TypeError, AttributeError):
            raise OutputError(
                f"{self.address}/{JOB}: is missing or damaged; --again begins again"
            ) from None
        if other:
            was, now = (one_line(json.dumps(each.get(other[0]))) for each in (there, job))
            values = f" ({was} there, {now} now)" if max(len(was), len(now)) <= _SHOWN else ""
            raise OutputError(
                f"{self.address}: the run there differs in {other[0]}{values}; --again begins again"
            )
        for name in names:
            if match := _NAME.fullmatch(name):
                self._names[int(match[1])], self.finished[int(match[1])] = name, match[2]

    def _remove(self, names: set[str]) -> None:
        """Remove a run's files, those that declare it first."""
        for name in sorted(names, key=lambda name: name not in (SUMMARY, JOB)):
            self._storage.delete(name)


def _hold(address: str) -> AbstractContextManager[None]:
    if is_bucket(address):
        return nullcontext()
    folder = Path(address)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}") from None
    return hold(folder)
