"""A person's decisions about images: a table that the ingest obeys. Standard library only."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from edgeemo.errors import DatasetError
from edgeemo.model.tables import Rejected
from edgeemo.utils.csv_text import read_rows, write_records
from edgeemo.utils.files import replacing
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgeemo.dataset.ingest.examine import UsableImage
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

Verdict = Literal["keep", "relabel", "exclude"]

REVIEWED = "reviewed"
"""Reason for excluding an image that a person excluded."""

VERDICTS: dict[str, Verdict] = {name: name for name in get_args(Verdict)}
"""The decisions by name."""

_COLUMNS = ("path", "sha256", "decision", "label")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision about an image.

    Attributes:
        path: Path relative to the data folder, with forward slashes.
        sha256: SHA-256 of the file, hexadecimal: a decision about other bytes does not count.
        decision: "keep", "relabel" or "exclude".
        label: Class that the image is to have; empty if it is excluded.
    """

    path: str
    sha256: str
    decision: Verdict
    label: str


@dataclass(frozen=True)
class Decisions:
    """The decisions about the images of a folder.

    Attributes:
        file: Their table.
        rows: The decisions, in the order in which they were taken.
    """

    file: Path
    rows: tuple[Decision, ...] = field(repr=False)

    @property
    def counts(self) -> dict[Verdict, int]:
        """Return the number of decisions of each kind."""
        found = Counter(row.decision for row in self.rows)
        return {name: found[name] for name in VERDICTS.values()}

    def apply(
        self,
        verdicts: Iterable[UsableImage | Rejected],
        *,
        labels: Sequence[str],
        progress: Progress,
    ) -> list[UsableImage | Rejected]:
        """Return the verdicts on files with the decisions about them.

        Args:
            verdicts: The verdicts.
            labels: The classes that are taken.
            progress: Receives a note on what was decided, and on files that have changed since.
        """
        by_path = {row.path: row for row in self.rows}
        decided: Counter[str] = Counter()
        found = list(self._apply_each(verdicts, by_path, labels=labels, decided=decided))
        progress.note(
            f"{self.file}: {plural(decided['relabel'], 'image')} relabelled, "
            f"{decided['exclude']:,} excluded, {decided['keep']:,} kept"
        )
        others = len(by_path) - decided.total()
        if others:
            progress.note(
                f"warning: {self.file}: {plural(others, 'decision is', 'decisions are')} about "
                "files that are gone, unusable or changed: review again"
            )
        return found

    def _apply_each(
        self,
        verdicts: Iterable[UsableImage | Rejected],
        by_path: dict[str, Decision],
        *,
        labels: Sequence[str],
        decided: Counter[str],
    ) -> Iterator[UsableImage | Rejected]:
        for verdict in verdicts:
            row = by_path.get(verdict.path)
            if row is None or isinstance(verdict, Rejected) or row.sha256 != verdict.sha256:
                yield verdict
                continue
            decided[row.decision] += 1
            if row.decision == "exclude" or row.label not in labels:
                detail = f"by {self.file.name}"
                if row.label:
                    detail = f"{row.label} {detail}, a class that is not taken"
                yield Rejected(path=verdict.path, reason=REVIEWED, detail=detail)
            else:
                yield replace(verdict, label=row.label)


def read_decisions(path: StrPath) -> Decisions:
    """Read a table of decisions.

    Raises:
        DatasetError: If it cannot be read, or is none.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as stream:
            rows = read_rows(stream)
            if tuple(next(rows, ())) != _COLUMNS:
                raise ValueError(f"its columns are not {', '.join(_COLUMNS)}")
            found = tuple(_parse_row(row) for row in rows if row)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, csv.Error) as error:
        raise DatasetError(f"{path}: not a table of 'edgeemo data review': {error}") from None
    return Decisions(Path(path), found)


def write_decisions(decisions: Decisions) -> None:
    """Write a table of decisions, whole or not at all."""
    path = decisions.file
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        write_records(stream, _COLUMNS, map(vars, decisions.rows))


def _parse_row(row: Sequence[str]) -> Decision:
    if len(row) != len(_COLUMNS):
        raise ValueError(f"a row of {len(row)} cells")
    path, sha256, decision, label = row
    verdict = VERDICTS.get(decision)
    if verdict is None:
        raise ValueError(f"{decision!r} is none of {', '.join(VERDICTS)}")
    if not label and verdict != "exclude":
        raise ValueError(f"{path} has no label")
    return Decision(path=path, sha256=sha256, decision=verdict, label=label)
