"""The part of `edgeemo.bulk.on_ray` that runs on a node of the cluster."""

from __future__ import annotations

import os
import pickle
import socket
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
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


_PACKAGES = (
    "edgeemo", "numpy", "pillow", "ai-edge-litert", "onnxruntime", "opencv-python-headless"
)  # fmt: skip
"""Packages on which results depend, where they are installed."""


@cache
def collect_versions() -> dict[str, str]:
    """Return the versions of the packages here on which results depend."""
    found = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """What has to be the same on every node as on the machine of the command.

    Attributes:
        folder: Current folder of the command.
        versions: Versions of packages; a node need not have all of them.
        path: Path of a file that every node has to see; "" where it need not see any.
        size_bytes: Its size.
    """

    folder: str
    versions: dict[str, str]
    path: str = ""
    size_bytes: int = 0

    @classmethod
    def take(cls, work: Work[Item, Any], items: Sequence[Item]) -> Probe:
        """Return the state of this machine, with the first file of items that exists."""
        here = cls(folder=os.getcwd(), versions={**collect_versions()})  # noqa: PTH109
        for path in filter(None, map(work.find_path, items)):
            with suppress(OSError, ValueError):
                return replace(here, path=path, size_bytes=os.stat(path).st_size)  # noqa: PTH116
        return here

    def check(self) -> None:
        """Refuse a node that differs.

        Raises:
            ClusterError: If a package has another version, or the file is not seen.
        """
        for name, here in collect_versions().items():
            if here != self.versions.get(name, here):
                raise ClusterError(
                    f"{name} {here} there, {self.versions[name]} where the command was started; "
                    "install the same"
                )
        if self.path:
            self._check_file(os.path.join(self.folder, self.path))  # noqa: PTH118

    def _check_file(self, path: str) -> None:
        try:
            if os.stat(path).st_size == self.size_bytes:  # noqa: PTH116
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


def run_block(batch: dict[str, Any], work: Any, probe: Probe) -> dict[str, list[bytes | float]]:
    """Return the pickled results of one block, or the pickled error that ends the run; and seconds.

    Args:
        batch: The content of a `PackedBlock`.
        work: Ray's reference to the pickled work.
        probe: What the node has to see.
    """
    results = error = b""
    began = time.monotonic()
    try:
        if (key := work.hex()) not in _OPENED:
            probe.check()
            _OPENED[key] = _load_work(work, probe.folder)
        began = time.monotonic()
        items = pickle.loads(zlib.decompress(batch["content"][0]))
        results = pickle.dumps(_OPENED[key].run(items))
    except EdgeEmoError as failure:
        error = pickle.dumps(_name_node(failure))
    return {"results": [results], "error": [error], "seconds": [time.monotonic() - began]}


def _load_work(reference: Any, folder: str) -> IsolatedWork[Any, Any]:
    from edgeemo.utils.cluster import import_ray

    return IsolatedWork(pickle.loads(import_ray().get(reference)), folder=folder)


def _name_node(error: EdgeEmoError) -> Exception:
    """Return an error whose text begins with this node."""
    portable = make_portable(error)
    portable.args = (f"node {socket.gethostname()}: {error}",)
    return portable
