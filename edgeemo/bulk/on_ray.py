"""Work on a Ray cluster, by Ray Data.

The connection to Ray lives in a child process, which a lost head node may abort. A block is a
task of one CPU, or several of small images are: Ray does it wherever one is free, and again where a
node is lost.
"""

from __future__ import annotations

import math
import os
import pickle
import tempfile
import time
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.on_node import PackedBlock, Probe, run_block
from edgeemo.bulk.run import skip_finished, take_items
from edgeemo.bulk.stall_watch import StalledError, StallWatch
from edgeemo.bulk.work import Item, Result, cut_blocks
from edgeemo.errors import ClusterError, EdgeEmoError
from edgeemo.utils.child import ChildCrashedError, iterate_in_child
from edgeemo.utils.cluster import import_ray_data, open_cluster
from edgeemo.utils.cpu_watch import check_nodes
from edgeemo.utils.ray_errors import describe_ray_error

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from edgeemo.bulk.run import Place
    from edgeemo.bulk.work import Block, Work
    from edgeemo.utils.progress import Progress

_FIRST_CHAPTER, _CHAPTER = 8, 64
"""Tasks per worker that Ray gets at a time, so that the memory does not grow with the images; the
first time few, which tell how long a block takes."""

_TASK_S = 4.0
"""Seconds that a task should take, by several blocks if need be: a worker waits some 0.2 s for the
next task, and blocks of small images take as long."""

_MAX_BLOCKS = 20
"""Blocks of a task."""

_WATCH_S = 1.0

_RETRIES = 5
"""Lost nodes after which a block is not tried again."""

_KEPT = "finished blocks are kept where --keep is given: continue with --resume"


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
    done: dict[int, str] = {}
    while True:
        try:
            with closing(_stream(work, items, finished | done, place, progress)) as stream:
                for number, digest, pickled in stream:
                    if number not in done:
                        done[number] = digest
                        yield number, digest, None if pickled is None else pickle.loads(pickled)
            return
        except StalledError:
            progress.note("A node was lost: the blocks that it had are done again.")


def _stream(
    work: Work[Item, Result],
    items: Iterable[Item],
    finished: dict[int, str],
    place: Place,
    progress: Progress,
) -> Generator[tuple[int, str, bytes | None]]:
    """Yield what a child process yields."""
    stream = iterate_in_child(_drive, work, items, finished, place, progress=progress)
    try:
        yield from stream
    except ChildCrashedError as error:
        raise ClusterError(f"the connection to Ray was lost ({error}); {_KEPT}") from None
    finally:
        stream.close()


def _drive(
    work: Work[Item, Result],
    items: Iterable[Item],
    finished: dict[int, str],
    place: Place,
    *,
    progress: Progress,
) -> Generator[tuple[int, str, bytes | None]]:
    """Do the work in this process, connected to Ray."""
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    with ExitStack() as scope:
        cluster = open_cluster(
            place.cluster,
            cpus=(place.workers or 1) * place.threads,
            purpose=_describe_need(place),
            folder=Path(tempfile.gettempdir()),  # for a local Ray, which this is not
            progress=progress,
        )
        ray = scope.enter_context(cluster)
        check_nodes(ray, cpus=place.threads, purpose=f"--threads {place.threads}")
        watch = StallWatch(ray, cpus=place.threads, remedy=_KEPT, progress=progress)
        scope.enter_context(watch.end_block())
        pool = _Pool(ray, place, work)
        blocks = cut_blocks(take_items(items, progress), size=work.block_size)
        packed = map(PackedBlock.pack, pool.watch(blocks, finished))
        while chapter := list(islice(packed, pool.count_chapter())):
            new = [block for block in chapter if block.number not in finished]
            with closing(pool.run(new)) as done:  # before the connection is
                for block in chapter:
                    is_old = block.number in finished
                    yield block.number, block.digest, None if is_old else next(done)
                    watch.note_result()


def _end_with(parent: int) -> None:
    """End this process, and with it its work on the cluster, once its parent is gone."""
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)


def _describe_need(place: Place) -> str:
    threads = f" --threads {place.threads}" if place.threads > 1 else ""
    return f"--workers {place.workers or 1}{threads}"


class _Pool:
    """The free CPUs of a cluster, or as many as were requested."""

    def __init__(self, ray: Any, place: Place, work: Work[Any, Any]) -> None:
        self._ray, self._data, self._place = ray, import_ray_data(), place
        self._work, self._reference = work, ray.put(pickle.dumps(work))
        self._probe: Probe | None = None
        self._block_s: float | None = None

    def count_chapter(self) -> int:
        """Return the number of blocks of a chapter."""
        tasks = _FIRST_CHAPTER if self._block_s is None else _CHAPTER
        return self._count_workers() * tasks * self._count_blocks()

    def _count_workers(self) -> int:
        cpus = int(self._ray.cluster_resources().get("CPU", 0))
        return self._place.workers or max(1, cpus // self._place.threads)

    def _count_blocks(self) -> int:
        """Return the number of blocks of a task, by the time that the last block took."""
        if self._block_s is None:
            return 1
        return max(1, min(_MAX_BLOCKS, round(_TASK_S / max(self._block_s, 1e-3))))

    def _count_tasks(self, blocks: int) -> int:
        """Return the number of tasks of a chapter: at its end, too, every worker has several."""
        most = max(1, blocks // (4 * self._count_workers()))
        return math.ceil(blocks / min(most, self._count_blocks()))

    def watch(
        self, blocks: Iterable[Block[Any]], finished: Mapping[int, str]
    ) -> Iterator[Block[Any]]:
        """Yield blocks, and choose a file that every node has to see.

        Raises:
            DatasetError: As `skip_finished`.
        """
        for block in blocks:
            skip_finished(block, finished)
            if not (self._probe and self._probe.path):
                self._probe = Probe.take(self._work, block.items)
            yield block

    def run(self, blocks: Sequence[PackedBlock]) -> Generator[bytes]:
        """Yield the pickled results of blocks, in order.

        Raises:
            ClusterError: If Ray gives up.
            EdgeEmoError: As `Work.open`, with the name of the node.
        """
        if not blocks:
            return
        rows = [{"content": block.content} for block in blocks]
        dataset = self._data.from_items(
            rows, override_num_blocks=self._count_tasks(len(rows))
        ).map_batches(
            run_block,
            fn_kwargs={"work": self._reference, "probe": self._probe},
            batch_size=1,
            compute=self._data.TaskPoolStrategy(size=self._place.workers),
            num_cpus=self._place.threads,
            max_retries=_RETRIES,
        )
        try:
            for row in dataset.iter_rows():
                if row["error"]:
                    raise pickle.loads(row["error"])
                self._block_s = row["seconds"]
                yield row["results"]
        except EdgeEmoError:
            raise
        except Exception as error:  # of many kinds
            text = f"Ray has ended the work: {describe_ray_error(error)}; {_KEPT}"
            raise ClusterError(text) from None
