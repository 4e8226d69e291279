"""Soft labels: for each image a distribution over the classes, read from a CSV file.

The answers of a row are votes of several people or probabilities of a model. A network learns the
shares of its classes among them; the labels of the folder stay what predictions are compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeemo.errors import DatasetError
from edgeemo.train.data.soft_label_table import read_soft_labels
from edgeemo.utils.text import join_and, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.dataset import Dataset
    from edgeemo.model.tables import Sample
    from edgeemo.train.data.soft_label_table import SoftLabelTable
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress


@dataclass(frozen=True, kw_only=True)
class SoftLabelCounts:
    """The part that soft labels play in a training.

    Attributes:
        images: Number of training images.
        distributions: Training images that have a distribution.
        without_row: Training images without a row, which keep the label of their folder.
        without_answer: Training images whose row has no answer for a class; they keep it, too.
        unused_rows: Rows that name no image of the training, validation or test split.
    """

    images: int
    distributions: int
    without_row: int
    without_answer: int
    unused_rows: int


@dataclass(frozen=True, kw_only=True)
class SoftLabels:
    """Soft labels of the images of a dataset.

    Attributes:
        table: The file.
        rows: Path of an image in the dataset to its row number.
        counts: The part that they play.
    """

    table: SoftLabelTable
    rows: Mapping[str, int]
    counts: SoftLabelCounts

    def find_answers(self, samples: Sequence[Sample]) -> dict[int, NDArray[np.float64]]:
        """Return the answers of each image that has a row, by its number."""
        rows = ((number, self.rows.get(sample.path)) for number, sample in enumerate(samples))
        return {number: self.table.answers[row] for number, row in rows if row is not None}

    def apply(self, targets: NDArray[np.float32], samples: Sequence[Sample]) -> NDArray[np.float32]:
        """Return targets with the distribution of each image that has one.

        Args:
            targets: (N, K) targets of the labels.
            samples: The N images.
        """
        soft = targets.copy()
        for number, answers in self.find_answers(samples).items():
            of_classes = answers[: targets.shape[1]]
            if of_classes.any():
                soft[number] = of_classes / of_classes.sum()
        return soft

    @property
    def text(self) -> str:
        """Return the part that they play as a sentence without its full stop."""
        table, counts = self.table, self.counts
        kept = [
            f"{count:,} {why}"
            for count, why in (
                (counts.without_row, "without a row"),
                (counts.without_answer, f"without an answer for {', '.join(table.labels)}"),
            )
            if count
        ]
        parts = [
            f"{table.file}: distributions for {counts.distributions:,} of {counts.images:,} "
            "training images",
            f"the label of the folder for {' and '.join(kept)}" if kept else "",
            f"{plural(counts.unused_rows, 'row')} without an image" if counts.unused_rows else "",
            f"not trained on: {', '.join(table.others)}" if table.others else "",
            f"ignored: {', '.join(table.ignored)}" if table.ignored else "",
        ]
        return "; ".join(filter(None, parts))


def load_soft_labels(
    options: TrainOptions, dataset: Dataset, *, progress: Progress
) -> SoftLabels | None:
    """Read the soft labels that the options name; None where they name none.

    Args:
        options: The training options.
        dataset: The images.
        progress: Gets a note.

    Raises:
        DatasetError: As `read_soft_labels` and `match_soft_labels`.
    """
    if options.soft_labels is None:
        return None
    table = read_soft_labels(options.soft_labels, labels=dataset.labels)
    soft_labels = match_soft_labels(table, dataset)
    progress.note(soft_labels.text)
    return soft_labels


def match_soft_labels(table: SoftLabelTable, dataset: Dataset) -> SoftLabels:
    """Find the image that each row of a table names.

    A row may give any end of the path of the image, from the name of the file alone to the absolute
    path, as long as it is that of one image only.

    Args:
        table: The table.
        dataset: The images.

    Raises:
        DatasetError: If two rows name one image, or a row names several, or no row names any.
    """
    paths = [*(each.path for each in dataset.samples), *(each.path for each in dataset.rejected)]
    index = _index_ends(paths) | {path: [path] for path in paths}
    folders = _find_folders(dataset)
    kept = {sample.path for sample in dataset.samples}
    rows: dict[str, int] = {}
    for number, named in enumerate(table.paths):
        where = f"{table.file}: line {table.lines[number]}"
        found = index.get(_make_relative(named, folders), [])
        if len(found) > 1:
            raise DatasetError(
                f"{where}: {named} may be {found[0]} or {found[1]}; give the path from the data "
                "folder"
            )
        if found and found[0] in rows:
            earlier = table.lines[rows[found[0]]]
            raise DatasetError(f"{where}: {found[0]} has a row already, in line {earlier}")
        rows |= dict.fromkeys(found, number)
    rows = {path: number for path, number in rows.items() if path in kept}
    if not rows:
        folders_given = [part.path for part in dataset.collections] or [dataset.root]
        raise DatasetError(
            f"{table.file}: no row names an image of {join_and([*map(str, folders_given)])}, such "
            f"as {dataset.samples[0].path}"
        )
    training = dataset.in_split("train")
    named_training = [rows[each.path] for each in training if each.path in rows]
    answered = table.answers[named_training, : len(table.labels)].any(axis=1)
    counts = SoftLabelCounts(
        images=len(training),
        distributions=int(answered.sum()),
        without_row=len(training) - len(named_training),
        without_answer=int((~answered).sum()),
        unused_rows=len(table.paths) - len(rows),
    )
    return SoftLabels(table=table, rows=rows, counts=counts)


def _index_ends(paths: Iterable[str]) -> dict[str, list[str]]:
    """Return the paths that end with each sequence of whole names."""
    index: dict[str, list[str]] = {}
    for path in paths:
        for end in _list_ends(path):
            index.setdefault(end, []).append(path)
    return index


def _list_ends(path: str) -> list[str]:
    """Return the path and every end of it that begins with a whole name, the longest first."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _find_folders(dataset: Dataset) -> dict[str, str]:
    """Return the ends of the data folders' paths, each with what paths of images have instead."""
    given = [(part.path, f"{part.name}/") for part in dataset.collections]
    folders: dict[str, str] = {}
    for path, prefix in given or [(dataset.root, "")]:
        for end in _list_ends(path.absolute().as_posix()):
            folders.setdefault(end, prefix)
    return folders


def _make_relative(path: str, folders: Mapping[str, str]) -> str:
    """Return a path that begins with a data folder as paths of images are."""
    for folder, prefix in folders.items():
        if path.startswith(f"{folder}/"):
            return prefix + path.removeprefix(f"{folder}/")
    return path
