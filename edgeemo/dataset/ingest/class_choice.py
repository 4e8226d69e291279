"""Which of a data folder's classes are taken, and in which order. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.errors import DatasetError
from edgeemo.utils.suggest import describe_unknown, find_nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def select_classes(root: Path, names: Sequence[str], classes: Sequence[str] | None) -> list[str]:
    """Return the classes to take, in the order of `names`.

    Args:
        root: The data folder, for the message.
        names: The classes that it has.
        classes: Those to take; None takes all.

    Raises:
        DatasetError: If it lacks one.
    """
    for name in classes or ():
        if name not in names:
            raise DatasetError(f"{root}: {describe_unknown('class', name, names)}")
    return [name for name in names if classes is None or name in classes]


def order_labels(
    root: Path,
    names: Sequence[str],
    labels: Sequence[str] | None,
    *,
    may_lack_images: bool = False,
) -> tuple[str, ...]:
    """Return the classes in the order of the network's outputs.

    Args:
        root: The data folder, for the message.
        names: The classes, sorted.
        labels: The same in the required order; None keeps that of `names`.
        may_lack_images: Whether labels without a folder are allowed, and left out of the result.

    Raises:
        DatasetError: If `labels` are others.
    """
    if labels is None:
        return tuple(names)
    missing = sorted(set(labels) - set(names))
    extra = sorted(set(names) - set(labels))
    if may_lack_images and not extra and len(set(labels)) == len(labels):
        return tuple(label for label in labels if label in names)
    if missing or extra or len(set(labels)) != len(labels):
        difference = "; ".join(
            part
            for part in (
                f"no folder for {_suggest_folders(missing, extra)}" if missing else "",
                f"a folder but no label for {', '.join(extra)}" if extra else "",
                "a label is named twice" if len(set(labels)) != len(labels) else "",
            )
            if part
        )
        raise DatasetError(f"{root}: the labels are not the class folders: {difference}")
    return tuple(labels)


def _suggest_folders(missing: Sequence[str], free: Sequence[str]) -> str:
    """Return the labels without a folder, each with the folder without a label most like it."""
    nearest = {name: find_nearest(name, free) for name in missing}
    return ", ".join(
        f"{name} (did you mean {near!r}?)" if near else name for name, near in nearest.items()
    )


def describe_missing_classes(root: Path, names: Sequence[str]) -> str:
    """Return the message about a data folder with fewer than two classes.

    Args:
        root: The data folder.
        names: The classes that it has.
    """
    layout = "one sub-folder per class, at least two"
    if not names:
        return f"{root}: no classes here; make {layout}"
    return f"{root}: only one class ({names[0]}); make {layout}"
