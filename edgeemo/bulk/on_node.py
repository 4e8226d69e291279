"""The part of `edgeemo.bulk.on_ray` that runs on a node of the cluster."""

from __future__ import annotations

import os
import pickle
import socket
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.isolated import IsolatedWork
from edgeemo.errors import ClusterError, EdgeEmoError
from edgeemo.utils.child import make_portable
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bulk.work import Block, Item, Work


@dataclass(frozen=True, slots=True)
class PackedBlock:
    """A block whose items take little memory: their names are much alike.

    Attributes:
        number: As of `Block`.
        digest: As of `Block`.
        content: The items, pickled and compressed.
    """

    number: int
    digest: str
    content: bytes

    @classmethod
    def pack(cls, block: Block[Any]) -> PackedBlock:
        """Return a block packed."""
        return cls(block.number, block.digest, zlib.compress(pickle.dumps(block.items), 1))


@dataclass(frozen=True, slots=True)
class Probe:
    """A file that every node has to see as the machine of the command does.

    Attributes:
        folder: Current folder of the command.
        path: Path of the file; "" where no node has to see any.
        size_bytes: Its size.
    """

    folder: str
    path: str = ""
    size_bytes: int = 0

    @classmethod
    def choose(cls, work: Work[Item, Any], items: Sequence[Item]) -> Probe:
        """Return the first file of items that exists."""
        folder = os.getcwd()  # noqa: PTH109
        for path in filter(None, map(work.find_path, items)):
            with suppress(OSError, ValueError):
                return cls(folder, path, os.stat(path).st_size)  # noqa: PTH116
        return cls(folder)

    def check(self) -> None:
        """Refuse a node that does not see the file.

        Raises:
            ClusterError: If it does not.
        """
        path = os.path.join(self.folder, self.path)  # noqa: PTH118
        try:
            if not self.path or os.stat(path).st_size == self.size_bytes:  # noqa: PTH116
                return
            reason = "it has another size there"
        except OSError as error:
            reason = error.strerror or one_line(error)
        raise ClusterError(
            f"{path} is not seen there ({reason}): put the images on storage that all nodes see "
            "under the same path, or in a bucket"
        )


_OPENED: dict[str, IsolatedWork[Any, Any]] = {}
"""The work of this process of Ray's, which does many blocks, by its reference."""


def run_block(batch: dict[str, Any], work: Any, probe: Probe) -> dict[str, list[bytes]]:
    """Return the pickled results of one block, or the pickled error that ends the run.

    Args:
        batch: The content of a `PackedBlock`.
        work: Ray's reference to the pickled work.
        probe: What the node has to see.
    """
    results = error = b""
    try:
        if (key := work.hex()) not in _OPENED:
            probe.check()
            _OPENED[key] = _load_work(work, probe.folder)
        items = pickle.loads(zlib.decompress(batch["content"][0]))
        results = pickle.dumps(_OPENED[key].run(items))
    except EdgeEmoError as failure:
        error = pickle.dumps(_name_node(failure))
    return {"results": [results], "error": [error]}


def _load_work(reference: Any, folder: str) -> IsolatedWork[Any, Any]:
    from edgeemo.utils.cluster import import_ray

    return IsolatedWork(pickle.loads(import_ray().get(reference)), folder=folder)


def _name_node(error: EdgeEmoError) -> Exception:
    """Return an error whose text begins with this node."""
    portable = make_portable(error)
    portable.args = (f"node {socket.gethostname()}: {error}",)
    return portable
