"""The images that a command line names, as items of `edgeemo.bulk`."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edgeemo.bulk.work import Items
from edgeemo.errors import OptionError
from edgeemo.imaging.suffixes import PassedOver
from edgeemo.runtime.inputs import expand
from edgeemo.runtime.prediction import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class NamedImages(Items[str]):
    """The images that names stand for, found while they are worked on.

    Args:
        names: Files and folders, as of `edgeemo.runtime.inputs.expand`.
        listed: File with the list of standard input, each path ended by NUL; "" without one.
    """

    def __init__(self, names: Sequence[str], *, listed: str = "") -> None:
        self._names, self._listed = tuple(names), listed
        self._passed_over = PassedOver()

    def __iter__(self) -> Iterator[str]:
        for name in self._names:
            if name == STDIN:
                yield from self._read_list()
            else:
                yield from map(os.fsdecode, expand([name], passed_over=self._passed_over))

    def describe_rest(self) -> str:
        """Return the number of the other files in the folders."""
        return self._passed_over.describe()

    def _read_list(self) -> Iterator[str]:
        rest = b""
        with open(self._listed, "rb") as stream:  # noqa: PTH123
            while chunk := stream.read(1 << 16):
                *paths, rest = (rest + chunk).split(b"\0")
                yield from map(os.fsdecode, paths)


@contextmanager
def open_images(names: Sequence[str]) -> Iterator[NamedImages]:
    """Yield the images that names stand for; a list on standard input is kept in a file meanwhile.

    Raises:
        OptionError: If standard input holds an image.
    """
    if STDIN not in names:
        yield NamedImages(names)
        return
    with tempfile.TemporaryDirectory(prefix="ee-", ignore_cleanup_errors=True) as folder:
        listed = os.path.join(folder, "list")  # noqa: PTH118
        with open(listed, "wb") as stream:  # noqa: PTH123
            for path in expand([STDIN]):
                if isinstance(path, bytes):
                    raise OptionError(
                        "--cluster and --keep take a list of paths on standard input, no image"
                    )
                stream.write(os.fsencode(path) + b"\0")
        yield NamedImages(names, listed=listed)
