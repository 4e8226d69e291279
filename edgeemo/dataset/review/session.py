"""A review in progress: the images, the decisions about them, and their table on disk."""

from __future__ import annotations

from dataclasses import asdict
from threading import Lock
from typing import TYPE_CHECKING, Any

from edgeemo.dataset.check.checking import check_folder
from edgeemo.dataset.ingest.decisions import (
    VERDICTS,
    Decision,
    Decisions,
    read_decisions,
    write_decisions,
)
from edgeemo.dataset.ingest.find import find_any_files
from edgeemo.dataset.review.queue import build_queue
from edgeemo.utils.files import sha256_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.dataset.review.queue import ReviewItem
    from edgeemo.utils.progress import Progress


def prepare_review(
    folder: Path,
    *,
    table: Path,
    classes: Sequence[str] | None = None,
    accept: Sequence[str] = (),
    progress: Progress | None = None,
) -> ReviewSession:
    """Check a folder of images and return the review of what is found.

    Args:
        folder: As in `edgeemo.dataset.check.check_folder`.
        table: The table of decisions to write; one that exists is continued.
        classes: Classes to review; None for all.
        accept: Formats to accept besides JPEG, PNG and BMP.
        progress: Receives the progress.

    Raises:
        DatasetError: As `edgeemo.dataset.check.check_folder`, or if the table is none.
        MissingExtraError: If the ``data`` extra is not installed.
    """
    checked = check_folder(folder, classes=classes, accept=accept, progress=progress)
    layout = find_any_files(folder, classes=classes)
    items = build_queue(checked, {file.path: file.label for file in layout.files})
    return ReviewSession(folder, items, labels=layout.labels, table=table)


class ReviewSession:
    """A review in progress, which several threads may use.

    Every decision is on disk before `decide` returns.

    Args:
        folder: The data folder, which is only read.
        items: The images to review.
        labels: The classes.
        table: The table of decisions; one that exists is continued.

    Raises:
        DatasetError: If the table exists and is none.
    """

    def __init__(
        self, folder: Path, items: Sequence[ReviewItem], *, labels: Sequence[str], table: Path
    ) -> None:
        self.folder, self.items, self.labels = folder, tuple(items), tuple(labels)
        self._lock = Lock()
        rows = read_decisions(table).rows if table.exists() else ()
        self._rows = {row.path: row for row in rows}
        self._table = table
        self._numbers = {item.path: number for number, item in enumerate(self.items)}

    @property
    def decisions(self) -> Decisions:
        """Return the decisions so far."""
        return Decisions(self._table, tuple(self._rows.values()))

    @property
    def decided(self) -> int:
        """Return the number of images of this review that are decided."""
        return sum(item.path in self._rows for item in self.items)

    def describe(self) -> dict[str, Any]:
        """Return the images with their decisions, and the number of the first without one."""
        with self._lock:
            items = [
                {**asdict(item), "decision": self._describe_decision(item.path)}
                for item in self.items
            ]
        first = next((n for n, item in enumerate(items) if item["decision"] is None), len(items))
        return {"labels": self.labels, "items": items, "first": first, "table": str(self._table)}

    def decide(self, number: int, decision: str, label: str = "") -> dict[str, Any]:
        """Take a decision about an image and write the table.

        Args:
            number: Number of the image among `items`.
            decision: "keep", "relabel" or "exclude".
            label: The new class, where it is relabelled.

        Returns:
            The number, its decision and the number of decided images.

        Raises:
            ValueError: If there is no such image, decision or class.
            OSError: If the table cannot be written; the decision is not taken then.
        """
        if not 0 <= number < len(self.items):
            raise ValueError(f"there is no image {number}")
        item = self.items[number]
        labels = {"keep": item.label, "relabel": label, "exclude": ""}
        if decision not in labels or (decision == "relabel" and label not in self.labels):
            raise ValueError(f"{decision} {label}".strip())
        row = Decision(
            path=item.path,
            sha256=sha256_file(self.folder / item.path),
            decision=VERDICTS["keep" if labels[decision] == item.label else decision],
            label=labels[decision],
        )
        with self._lock:
            rest = {path: old for path, old in self._rows.items() if path != item.path}
            self._write({**rest, item.path: row})
            return self._describe(number)

    def undo(self) -> dict[str, Any]:
        """Take the last decision back and write the table.

        Returns:
            As `decide`, of the image that is undecided again; the number is -1 if none is.
        """
        with self._lock:
            mine = [path for path in self._rows if path in self._numbers]
            if not mine:
                return self._describe(-1)
            self._write({path: row for path, row in self._rows.items() if path != mine[-1]})
            return self._describe(self._numbers[mine[-1]])

    def _write(self, rows: dict[str, Decision]) -> None:
        write_decisions(Decisions(self._table, tuple(rows.values())))
        self._rows = rows

    def _describe(self, number: int) -> dict[str, Any]:
        decision = self._describe_decision(self.items[number].path) if number >= 0 else None
        return {"item": number, "decision": decision, "decided": self.decided}

    def _describe_decision(self, path: str) -> dict[str, str] | None:
        row = self._rows.get(path)
        return {"decision": row.decision, "label": row.label} if row else None
