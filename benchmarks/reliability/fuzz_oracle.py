"""The oracle of the fuzzers: for any bytes, a value or one of edgeemo's errors in one line.

`judge` needs no fuzzer: the tests replay their corpus through it.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import sys
import tempfile
import traceback
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.errors import EdgeEmoError
from edgeemo.imaging.limits import ROOM
from edgeemo.utils.redirect import drop_image_warnings
from edgeemo.utils.text import has_controls

if TYPE_CHECKING:
    from collections.abc import Callable

_OURS = re.compile(r".*/((edgeemo|benchmarks/reliability)/.*)")


class BrokenPromiseError(AssertionError):
    """A value that edgeemo promises not to return."""


@dataclass(frozen=True)
class Fault:
    """What an input did that it must not do.

    Attributes:
        kind: The same for inputs that show the same fault: what happened, and where.
        text: Everything known of it.
    """

    kind: str
    text: str


def require(fine: bool, problem: str) -> None:
    """Raise `BrokenPromiseError` if a promise is not kept."""
    if not fine:
        raise BrokenPromiseError(problem)


def judge(check: Callable[[bytes], None], data: bytes) -> Fault | None:
    """Return what is wrong with how edgeemo takes an input, or None.

    Args:
        check: A target: it raises `EdgeEmoError` for an input that is refused.
        data: The input.
    """
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        drop_image_warnings()  # as the entry points do
        fault = _judge_outcome(check, data)
    if not fault and shown:
        first = shown[0]
        text = warnings.formatwarning(first.message, first.category, first.filename, first.lineno)
        fault = Fault(f"warning at {_shorten(first.filename)}:{first.lineno}", text)
    if not fault and ROOM._taken:
        fault = Fault("memory that an image took is not given back", "")
    ROOM._taken = 0
    return fault


def _judge_outcome(check: Callable[[bytes], None], data: bytes) -> Fault | None:
    try:
        check(data)
    except KeyboardInterrupt:
        raise
    except EdgeEmoError as error:
        return _judge_message(error)
    except BaseException as error:
        return _describe(error)
    return None


def _judge_message(error: EdgeEmoError) -> Fault | None:
    message = str(error)
    if message and not has_controls(message):
        return None
    fault = _describe(error)
    return Fault(f"not one printable line: {fault.kind}", fault.text)


def _describe(error: BaseException) -> Fault:
    """Return an exception as a fault, whose kind is its class and the last of our lines."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if _OURS.match(each.filename) and each.name != "require"]
    place = f"{_shorten(ours[-1].filename)}:{ours[-1].lineno}" if ours else "?"
    promise = f" ({error})" if isinstance(error, BrokenPromiseError) else ""
    text = "".join(traceback.format_exception(error))
    return Fault(f"{type(error).__name__}{promise} at {place}", text)


def _shorten(path: str) -> str:
    found = _OURS.match(path)
    return found[1] if found else path


@cache
def make_scratch_folder() -> Path:
    """Return a folder for the files of this process, in memory where the system has such a place.

    It is emptied at the process's end, if that is an orderly one.
    """
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="edgeemo-fuzz-", dir=place))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def count_open_files() -> int:
    """Return the number of file descriptors of this process."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) if sys.platform == "linux" else 0
