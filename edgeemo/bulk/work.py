"""Work on images, and the blocks that it is done in. Standard library only."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

_ESCAPE = re.compile(r"\\u(d[c-f][0-9a-f]{2})")

BLOCK_SIZE = 512
"""Images of a block: a few seconds of work, and what is lost with a worker at most."""


class Items(ABC, Generic[Item]):
    """Items that are found one by one, where the work is driven from. It is pickled before that.

    A list or another iterable that can be pickled will do, too, where that fits in memory.
    """

    @abstractmethod
    def __iter__(self) -> Iterator[Item]:
        """Yield the items, in the same order every time."""

    def describe_rest(self) -> str:
        """Return a note on what was passed over, once all items are found; "" for none."""
        return ""


class Work(ABC, Generic[Item, Result]):
    """Work on images, one result per image. It is pickled before `open`, never afterwards.

    Attributes:
        block_size: Images of a block.
    """

    block_size = BLOCK_SIZE

    @abstractmethod
    def describe(self) -> Mapping[str, object]:
        """Return all that the results depend on besides the images, as plain JSON.

        A run is continued only by the same work: the SHA-256 of a model belongs here, its path does
        not.
        """

    @abstractmethod
    def open(self) -> None:
        """Load what the work needs, in the process that does it.

        Raises:
            EdgeEmoError: If it cannot be loaded there.
        """

    @abstractmethod
    def run(self, items: Iterable[Item], *, workers: int) -> Iterator[Result]:
        """Yield the result of each item, in order; an image that cannot be used has one, too.

        Args:
            items: What `edgeemo.bulk.run.work_through` was given, or a block of it.
            workers: Number of images to work on at the same time.
        """

    @abstractmethod
    def fail(self, item: Item, reason: str) -> Result:
        """Return the result of an item at which the worker's process has ended.

        Args:
            item: The item.
            reason: Such as "its worker process was ended by SIGSEGV".
        """

    def find_path(self, item: Item) -> str:
        """Return the path of the file that an item is read from, as this machine sees it.

        A worker on another machine that does not see it ends the run.

        Args:
            item: The item.

        Returns:
            "" where it is no file of this machine, such as an address in a bucket.
        """
        return item if isinstance(item, str) and "://" not in item else ""

    @abstractmethod
    def to_table(self, results: Sequence[Result]) -> Any:
        """Return results as a `pyarrow.Table`, which people read, too."""

    @abstractmethod
    def from_table(self, table: Any) -> list[Result]:
        """Return the results of a table of `to_table`."""


def encode_name(name: str) -> str:
    """Return a file's name as UTF-8 can hold it: bytes that are no text become escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def decode_name(text: str) -> str:
    """Return the name that `encode_name` was given."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


@dataclass(frozen=True, slots=True)
class Block(Generic[Item]):
    """Items that are done together.

    Attributes:
        number: Its place among the blocks, from 0.
        items: At least one.
        digest: Tells it from a block of other items, 16 hexadecimal digits.
    """

    number: int
    items: tuple[Item, ...]
    digest: str


def cut_blocks(items: Iterable[Item], *, size: int) -> Iterator[Block[Item]]:
    """Yield items in blocks.

    Args:
        items: Texts, or values whose `repr` tells them apart.
        size: Number of items per block; the last may have fewer.
    """
    waiting, number = iter(items), 0
    while chosen := tuple(islice(waiting, size)):
        text = "\0".join(map(repr, chosen))
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        yield Block(number, chosen, digest)
        number += 1
