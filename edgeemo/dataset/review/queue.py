"""The images to review, in the order in which a person sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from edgeemo.dataset.check.groups import DuplicateGroup
    from edgeemo.dataset.check.report import CheckReport

_MOST_ALIKE = 8
"""Greatest number of images that are shown beside one that is like them."""


@dataclass(frozen=True, kw_only=True)
class ReviewItem:
    """An image to review.

    Attributes:
        path: Path relative to the data folder, with forward slashes.
        label: Class of the image.
        kind: Kind of the finding: "in two classes", "suspicious label", "odd" or "duplicate".
        reason: The finding in words.
        suggested: Class that the image may have instead; empty for none.
        alike: Paths of images that are the same or nearly so.
    """

    path: str
    label: str
    kind: str
    reason: str
    suggested: str = ""
    alike: tuple[str, ...] = ()


def build_queue(report: CheckReport, labels: Mapping[str, str]) -> tuple[ReviewItem, ...]:
    """Return the images to review, each once: those in two classes first, then suspicious labels.

    Args:
        report: The check of the folder.
        labels: Class of each usable image by its path.
    """
    alike = {
        path: _list_alike(path, group) for group in report.near_duplicates for path in group.paths
    }
    items: dict[str, ReviewItem] = {}
    for item in (
        *_list_two_classes(report, labels),
        *_list_suspects(report, alike),
        *_list_odd(report, labels),
        *_list_duplicates(report, labels),
    ):
        items.setdefault(item.path, item)
    return tuple(items.values())


def _list_two_classes(report: CheckReport, labels: Mapping[str, str]) -> Iterator[ReviewItem]:
    for group in report.near_duplicates:
        for path in group.paths if group.across_classes else ():
            others = [label for label in group.labels if label != labels[path]]
            yield ReviewItem(
                path=path,
                label=labels[path],
                kind="in two classes",
                reason=f"the same or nearly so as an image of {' and '.join(others)}",
                suggested=others[0] if len(others) == 1 else "",
                alike=_list_alike(path, group),
            )


def _list_suspects(
    report: CheckReport, alike: Mapping[str, tuple[str, ...]]
) -> Iterator[ReviewItem]:
    for one in report.label_check.suspects:
        yield ReviewItem(
            path=one.path,
            label=one.label,
            kind="suspicious label",
            reason=f"looks {one.suggested}, says a simple classifier ({one.confidence:.2f})",
            suggested=one.suggested,
            alike=alike.get(one.path, ()),
        )


def _list_odd(report: CheckReport, labels: Mapping[str, str]) -> Iterator[ReviewItem]:
    for row in report.odd:
        yield ReviewItem(
            path=row.path,
            label=labels[row.path],
            kind="odd",
            reason=f"{row.reason}: {row.detail}",
        )


def _list_duplicates(report: CheckReport, labels: Mapping[str, str]) -> Iterator[ReviewItem]:
    """Yield all images but one of each group whose files differ: of identical ones one stays."""
    for group in report.near_duplicates:
        if group.identical or group.across_classes:
            continue
        for path in group.paths[1:]:
            yield ReviewItem(
                path=path,
                label=labels[path],
                kind="duplicate",
                reason=f"nearly the same as {group.paths[0]}; both stay in one split if kept",
                alike=_list_alike(path, group),
            )


def _list_alike(path: str, group: DuplicateGroup) -> tuple[str, ...]:
    others: Iterable[str] = (other for other in group.paths if other != path)
    return tuple(others)[:_MOST_ALIKE]
