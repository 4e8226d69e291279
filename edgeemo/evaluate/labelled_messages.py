"""Messages and notes about the labelled images of a folder. Standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.utils.suggest import find_nearest
from edgeemo.utils.text import join_and, plural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_STEM = 3
"""Number of letters that "sad" and "sadness", or "happy" and "happiness", have in common."""

_SHOWN = 8
"""Number of classes that a message lists."""


def describe_unlabelled(root: Path, count: int, labels: Sequence[str]) -> str:
    """Return the message about a folder without class folders.

    Args:
        root: The folder.
        count: Number of images in it.
        labels: The classes of the model.
    """
    if not count:
        return f"{root}: no images here; make one sub-folder per class"
    if root.resolve().name.casefold() in {label.casefold() for label in labels}:
        return f"{root}: images of one class; name the folder that it lies in: {root / '..'}"
    return (
        f"{root}: {plural(count, 'image is', 'images are')} unlabelled; put each into a sub-folder "
        f"with the name of its class, or run 'edgeemo predict {root}', which needs no labels"
    )


def describe_unknown_classes(
    root: Path, known: Mapping[str, str | None], labels: Sequence[str]
) -> str:
    """Return the message about a folder without an image of a class that the model predicts.

    Args:
        root: The folder.
        known: The label that each class folder is; None where the model does not know it.
        labels: The classes of the model.
    """
    unknown = [name for name, label in known.items() if label is None]
    if not unknown:
        return f"{root}: no image of a class that the model predicts"
    return (
        f"{root}: none of its classes ({list_names(unknown)}) is a label of the model "
        f"({list_names(labels)}); rename the folders, or say which is which: "
        f"--rename {unknown[0]}={labels[0]}"
    )


def list_notes(
    known: Mapping[str, str | None],
    labels: Sequence[str],
    *,
    loose: int,
    found: Collection[str | None],
    background: str | None,
) -> Iterator[str]:
    """Yield what there is to know of labelled images, in sentences without their full stop.

    Args:
        known: As of `describe_unknown_classes`.
        labels: The classes of the model.
        loose: Number of images beside the class folders.
        found: The labels that have images.
        background: The model's background class.
    """
    for name, label in known.items():
        if label is not None and label != name:
            yield f"the folder {name} is taken for the label {label}"
    for name, label in known.items():
        near = _find_similar(name, labels) if label is None and name != background else None
        if near is not None:
            yield f"{name} is no label of the model; if it is {near}: --rename {name}={near}"
    if loose:
        yield f"{plural(loose, 'image', 'images')} beside the class folders left out: unlabelled"
    missing = [label for label in labels if label not in found]
    if missing:
        yield f"no image of the label{'s' if missing[1:] else ''} {join_and(missing)}"


def list_names(names: Sequence[str]) -> str:
    """Return names with commas, of many the first."""
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _find_similar(name: str, labels: Sequence[str]) -> str | None:
    """Return the label that a class folder probably is: of nearly its name, or of its stem."""
    begun = [label for label in labels if label[:_STEM].casefold() == name[:_STEM].casefold()]
    return find_nearest(name, labels) or (begun[0] if len(name) >= _STEM and begun else None)
