"""The child process of `edgeemo.bulk.isolated`, seen from inside."""

from __future__ import annotations

import os
import pickle
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bulk.work import Work

LIMIT_S = 60.0
"""Seconds that an image may take."""

_SEND_S = 0.2
"""Seconds of work whose results are sent together: a message per image costs 0.2 ms of processor
time, half as much as the prediction of a small image."""

_LATE_S = 5
"""Seconds after the limit at which the system ends a child whose parent is gone."""

_MEMORY_BYTES = 4 << 30
"""Memory that a child may have: several times what the limits of images allow."""


def main() -> None:
    """Do the work and the blocks that standard input brings.

    Once its parent is gone, it ends with the image that it works on: an alarm ends one that hangs.
    """
    stream, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed must not come between the messages
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _limit_memory()
        folder, work = pickle.loads(_read(stream))
        with suppress(OSError):
            os.chdir(folder)
        work.open()
        _write(results, ("ready", None))
        while content := _read(stream):
            _run(work, pickle.loads(content), results)
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:
        from edgeemo.utils.child import make_portable

        _write(results, ("error", make_portable(error)))
    os._exit(0)


def _run(work: Work[Any, Any], items: Sequence[Any], stream: BinaryIO) -> None:
    results: list[Any] = []
    sent = time.monotonic()
    _arm()
    for result in work.run(items, workers=1):
        results.append(result)
        if time.monotonic() - sent > _SEND_S:
            _write(stream, ("results", results))
            results, sent = [], time.monotonic()
            _arm()
    signal.alarm(0)
    if results:
        _write(stream, ("results", results))


def _arm() -> None:
    """Have the system end this process where an image takes too long and nobody else ends it."""
    signal.alarm(int(LIMIT_S) + _LATE_S)


def _limit_memory() -> None:
    """Keep an image from filling the machine: what it requests beyond the limit is an error.

    Where the machine is full nevertheless, the system ends this process first, and none of Ray's.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as stream:  # noqa: PTH123
            stream.write("1000")


def _read(stream: BinaryIO) -> bytes:
    """Return the next message; nothing at the end."""
    head = stream.read(8)
    return stream.read(int.from_bytes(head, "little")) if len(head) == 8 else b""


def _write(stream: BinaryIO, message: object) -> None:
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(len(content).to_bytes(8, "little") + content)
    stream.flush()
