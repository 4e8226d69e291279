"""Run work on images, on this machine or a cluster, and keep what is finished."""

from __future__ import annotations

from collections import deque
from collections.abc import Sized
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Generic, cast

from edgeemo.bulk.isolated import IsolatedWork
from edgeemo.bulk.work import Block, Item, Items, Result, cut_blocks
from edgeemo.errors import DatasetError
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from edgeemo.bulk.parts import Parts
    from edgeemo.bulk.work import Work
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where work is done.

    Attributes:
        workers: Number of images that are worked on at the same time: on this machine, or of
            processes with one CPU each on the cluster; None for all CPUs of the cluster.
        cluster: HOST:PORT of a Ray cluster's head node, or "auto"; None for this machine.
        threads: CPUs that each of them takes.
        isolates: Whether a single worker of this machine is a process of its own, too, so that an
            image may end it; such work can be pickled.
    """

    workers: int | None = None
    cluster: str | None = None
    threads: int = 1
    isolates: bool = False


@dataclass(frozen=True, slots=True)
class FinishedBlock(Generic[Result]):
    """A block and its results.

    Attributes:
        number: Its place among the blocks.
        results: One per item, in their order.
        is_old: Whether it was finished by an earlier run.
    """

    number: int
    results: list[Result]
    is_old: bool = False


def work_through(
    work: Work[Item, Result],
    items: Iterable[Item],
    *,
    place: Place,
    parts: Parts[Result] | None = None,
    stage: str,
    progress: Progress,
) -> Generator[FinishedBlock[Result]]:
    """Work on items and yield the results block by block, in the order of the items.

    Closing the generator ends all that it has started.

    Args:
        work: The work.
        items: The items; for a cluster they have to be picklable as a whole, as `Items` and lists
            are.
        place: Where it is done.
        parts: Keeps the finished blocks, and has those of an earlier run; None keeps nothing.
        stage: Name of the stage of the progress that begins with the first results, such as
            "Predicting": a bar has a thread, and a process with several threads is not forked.
        progress: Advances within that stage.

    Raises:
        ClusterError: If the cluster cannot be used or is lost.
        DatasetError: If the items are not those of the run that is continued.
        EdgeEmoError: As `Work.open`.
    """
    finished, shown = parts.finished if parts else {}, _Stage(stage, items, progress)
    if place.cluster is None:
        done = _run_here(work, items, finished, place, shown)
    else:
        from edgeemo.bulk.on_ray import run_on_ray

        done = run_on_ray(work, items, finished, place, progress=progress)
    count = 0
    with closing(done) as stream:
        for number, digest, results in stream:
            count += 1
            if results is not None:
                block = FinishedBlock(number, results)
                if parts:
                    parts.write(number, digest, results)
            else:  # only of parts
                block = FinishedBlock(
                    number, cast("Parts[Result]", parts).read(number), is_old=True
                )
            if block.is_old or place.cluster is not None:
                shown.advance(len(block.results))
            yield block
    check_end(count, finished)


class _Stage:
    """The stage of the progress, which begins when it advances.

    Args:
        name: Its name.
        items: The items, whose number is shown where it is known.
        progress: Receives the progress.
    """

    def __init__(self, name: str, items: Iterable[Any], progress: Progress) -> None:
        self._name, self.progress = name, progress
        self._total = len(items) if isinstance(items, Sized) else None
        self._has_begun = False

    def advance(self, steps: int = 1) -> None:
        """Count items as done."""
        if not self._has_begun:
            self._has_begun = True
            self.progress.stage(self._name, total=self._total)
        self.progress.advance(steps)


def take_items(items: Iterable[Item], progress: Progress) -> Iterator[Item]:
    """Yield the items, and note what was passed over at their end."""
    yield from items
    if isinstance(items, Items) and (rest := items.describe_rest()):
        progress.note(rest)


def skip_finished(block: Block[Item], finished: Mapping[int, str]) -> bool:
    """Return whether a block was finished by an earlier run.

    Raises:
        DatasetError: If it had other items then.
    """
    digest = finished.get(block.number)
    if digest is not None and digest != block.digest:
        raise DatasetError(
            f"{block.items[0]}: the images are not those of the run that is continued (from block "
            f"{block.number} on); --again begins again"
        )
    return digest is not None


def check_end(count: int, finished: Mapping[int, str]) -> None:
    """Refuse to continue a run that had more blocks.

    Args:
        count: Number of blocks that there are now.
        finished: The digests of those that are finished, by their numbers.

    Raises:
        DatasetError: If it had.
    """
    if any(number >= count for number in finished):
        raise DatasetError(
            f"the run that is continued had more images (block {count} and following); "
            "--again begins again"
        )


def _run_here(
    work: Work[Item, Result],
    items: Iterable[Item],
    finished: dict[int, str],
    place: Place,
    shown: _Stage,
) -> Generator[tuple[int, str, list[Result] | None]]:
    """Work on this machine, on several images at a time or in a process that may crash."""
    blocks = cut_blocks(take_items(items, shown.progress), size=work.block_size)
    workers = place.workers or max(1, usable_cores() // place.threads)
    if workers == 1 and place.isolates:
        yield from _run_alone(work, blocks, finished, shown)
    else:
        yield from _run_side_by_side(work, blocks, finished, workers, shown)


def _run_alone(
    work: Work[Item, Result],
    blocks: Iterable[Block[Item]],
    finished: Mapping[int, str],
    shown: _Stage,
) -> Generator[tuple[int, str, list[Result] | None]]:
    """Work in one other process."""
    with closing(IsolatedWork(work)) as isolated:
        for block in blocks:
            is_old = skip_finished(block, finished)
            results = None if is_old else isolated.run(block.items)
            shown.advance(len(results or ()))
            yield block.number, block.digest, results


def _run_side_by_side(
    work: Work[Item, Result],
    blocks: Iterable[Block[Item]],
    finished: Mapping[int, str],
    workers: int,
    shown: _Stage,
) -> Generator[tuple[int, str, list[Result] | None]]:
    """Work in this process and its own workers, without a pause between the blocks."""
    work.open()
    order: deque[tuple[int, str, int]] = deque()  # number, digest, and count of new items

    def take() -> Iterator[Item]:
        for block in blocks:
            is_old = skip_finished(block, finished)
            order.append((block.number, block.digest, 0 if is_old else len(block.items)))
            if not is_old:
                yield from block.items

    def pass_old() -> Iterator[tuple[int, str, None]]:
        while order and not order[0][2]:
            number, digest, _ = order.popleft()
            yield number, digest, None

    results: list[Result] = []
    for result in _look_ahead(work.run(take(), workers=workers)):
        yield from pass_old()
        results.append(result)
        shown.advance()
        number, digest, count = order[0]
        if len(results) == count:
            order.popleft()
            yield number, digest, results
            results = []
    yield from pass_old()


def _look_ahead(results: Iterator[Result]) -> Iterator[Result]:
    """Yield each result when the next is there: the first one is made before workers are forked.

    By then nothing may have started a thread: no bar, and no pyarrow.
    """
    for result, _ in pairwise(chain(results, [None])):
        yield cast("Result", result)
