"""Work on a Ray cluster, by Ray Data.

The connection to Ray lives in a child process, which a lost head node may abort. Ray Data gives the
blocks to a pool of actors, one per CPU, and gives those of a lost one to another.
"""

from __future__ import annotations

import pickle
import socket
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.isolated import IsolatedWork
from edgeemo.bulk.run import skip_finished, take_items
from edgeemo.bulk.work import Item, Result, cut_blocks
from edgeemo.errors import ClusterError, EdgeEmoError
from edgeemo.utils.child import ChildCrashedError, iterate_in_child
from edgeemo.utils.cluster import import_ray_data, open_cluster

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from edgeemo.bulk.run import Place
    from edgeemo.bulk.work import Block, Work
    from edgeemo.utils.progress import Progress

_CHAPTER = 8192
"""Blocks that Ray gets at a time, so that the memory does not grow with the number of images."""

_RETRIES = 5
"""Lost actors after which a block is not tried again."""


def run_on_ray(
    work: Work[Item, Result],
    items: Iterable[Item],
    finished: dict[int, str],
    place: Place,
    *,
    progress: Progress,
) -> Generator[tuple[int, str, list[Result] | None]]:
    """Yield number, digest and results of each block, in order; None for one of `finished`.

    Args:
        work: The work.
        items: The items, picklable as a whole.
        finished: The digests of the blocks that are not done again, by their numbers.
        place: The cluster.
        progress: Is told what is waited for.

    Raises:
        ClusterError: If the cluster cannot be used or is lost.
        DatasetError: If the items are not those of the run that is continued.
        EdgeEmoError: As `Work.open`.
    """
    with tempfile.TemporaryDirectory(prefix="ee-", ignore_cleanup_errors=True) as folder:
        stream = iterate_in_child(
            _drive, work, items, finished, place, Path(folder), progress=progress
        )
        try:
            for number, digest, pickled in stream:
                yield number, digest, None if pickled is None else pickle.loads(pickled)
        except ChildCrashedError as error:
            raise ClusterError(
                f"the connection to Ray was lost ({error}); finished blocks are kept where --keep "
                "is given: continue with --resume"
            ) from None
        finally:
            stream.close()


def _drive(
    work: Work[Item, Result],
    items: Iterable[Item],
    finished: dict[int, str],
    place: Place,
    folder: Path,
    *,
    progress: Progress,
) -> Generator[tuple[int, str, bytes | None]]:
    """Do the work in this process, connected to Ray."""
    with open_cluster(
        place.cluster,
        cpus=place.workers or 1,
        purpose=f"--workers {place.workers or 1}",
        folder=folder,
        progress=progress,
    ) as ray:
        pool = _Pool(ray, work, place.workers)
        blocks = cut_blocks(take_items(items, progress), size=work.block_size)
        while chapter := list(islice(blocks, _CHAPTER)):
            new = [block for block in chapter if not skip_finished(block, finished)]
            done = pool.run(new)
            for block in chapter:
                is_old = block.number in finished
                yield block.number, block.digest, None if is_old else next(done)


class _Pool:
    """The actors of a cluster."""

    def __init__(self, ray: Any, work: Work[Any, Any], workers: int | None) -> None:
        self._data, self._work = import_ray_data(), ray.put(pickle.dumps(work))
        self._workers = workers or int(ray.cluster_resources()["CPU"])

    def run(self, blocks: Sequence[Block[Any]]) -> Generator[bytes]:
        """Yield the pickled results of blocks, in order.

        Raises:
            ClusterError: If Ray gives up.
            EdgeEmoError: As `Work.open`, with the name of the node.
        """
        if not blocks:
            return
        data = self._data
        rows = [{"items": pickle.dumps(block.items)} for block in blocks]
        dataset = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Actor,
            fn_constructor_args=(self._work,),
            batch_size=1,
            compute=data.ActorPoolStrategy(
                min_size=1, max_size=min(self._workers, len(rows)), max_tasks_in_flight_per_actor=2
            ),
            num_cpus=1,
        )
        try:
            for row in dataset.iter_rows():
                if row["error"]:
                    raise pickle.loads(row["error"])
                yield row["results"]
        except EdgeEmoError:
            raise
        except Exception as error:
            from edgeemo.utils.text import one_line

            raise ClusterError(f"Ray has ended the work: {one_line(error)[:300]}") from None


class _Actor:
    """Does blocks on a node, one after the other.

    Args:
        work: Reference to the pickled work.
    """

    def __init__(self, work: Any) -> None:
        from edgeemo.utils.cluster import import_ray

        self._error: EdgeEmoError | None = None
        try:
            self._work: IsolatedWork[Any, Any] = IsolatedWork(pickle.loads(import_ray().get(work)))
        except EdgeEmoError as error:
            self._error = type(error)(f"on {socket.gethostname()}: {error}")

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Return the results of one block, or the error that ends the run."""
        results, error = b"", self._error
        try:
            if error is None:
                results = pickle.dumps(self._work.run(pickle.loads(batch["items"][0])))
        except EdgeEmoError as failure:
            error = failure
        return {"results": [results], "error": [pickle.dumps(error) if error else b""]}
