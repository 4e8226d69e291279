"""Processing of a folder: the share of its images of each kind, and what that means for a model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from edgeemo.dataset.processing.traces import ImageTraces

LARGE_SHARE = 0.2
"""Smallest share of the images that makes a finding about the folder."""

_MIN_IMAGES = 5  # with a finding


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of processing in words."""

    changes_light: bool
    participle: str
    consequence: str
    remedy: str
    is_measured: Callable[[ImageTraces], bool]


_KINDS: Mapping[str, _Kind] = {
    "equalised": _Kind(
        True,
        "equalised",
        "a camera's images have no flat histogram, so a model trained and tested on these sees "
        "something else on the device",
        "use the images as they were before",
        lambda traces: True,
    ),
    "stretched": _Kind(
        True,
        "stretched in contrast or brightness",
        "grey levels are missing and bright and dark parts may be cut off, which a camera's "
        "images on the device are not",
        "use the images as they were before",
        lambda traces: traces.gaps is not None,
    ),
    "upscaled": _Kind(
        False,
        "upscaled or out of focus",
        "they have less detail than their size, and a device's crops of near faces have more",
        "use the images at their first size, or a smaller --size",
        lambda traces: traces.drop is not None,
    ),
    "recompressed": _Kind(
        False,
        "compressed as JPEG before, more coarsely than now",
        "the network sees edges of 8x8 blocks that a camera's images do not have",
        "use the files as they were first saved",
        lambda traces: traces.evidence is not None,
    ),
}


@dataclass(frozen=True, kw_only=True)
class ProcessingShare:
    """The images of a folder that were processed in one way.

    Attributes:
        kind: "equalised", "stretched", "upscaled" or "recompressed".
        count: Number of images with the finding.
        measured: Number of images in which it can be measured.
        example: Path of one of them; empty without any.
    """

    kind: str
    count: int
    measured: int
    example: str

    @property
    def share(self) -> float:
        """Return the share of the measured images."""
        return self.count / self.measured if self.measured else 0.0

    @property
    def is_large(self) -> bool:
        """Return whether the share is a finding about the folder."""
        return self.count >= _MIN_IMAGES and self.share >= LARGE_SHARE

    @property
    def changes_light(self) -> bool:
        """Return whether figures measured on such images do not hold for a camera's."""
        return _KINDS[self.kind].changes_light

    @property
    def text(self) -> str:
        """Return the finding about the folder, its consequence and the remedy."""
        kind = _KINDS[self.kind]
        return (
            f"{self.count:,} of {self.measured:,} images are {kind.participle} "
            f"(such as {self.example}): {kind.consequence}; {kind.remedy}"
        )


def count_shares(
    images: Iterable[tuple[str, ImageTraces]],
) -> tuple[ProcessingShare, ...]:
    """Return the share of each kind of processing, in the order of the documentation.

    Args:
        images: Path and traces of each image.
    """
    counter = ShareCounter()
    for path, traces in images:
        counter.add(path, traces)
    return counter.shares


class ShareCounter:
    """Counts images by the traces of processing in them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._measured: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def add(self, path: str, traces: ImageTraces) -> list[tuple[str, str]]:
        """Count an image.

        Returns:
            The name of each kind of processing that is found, with the measured value.
        """
        found = list(traces.list_findings())
        self._measured.update(name for name, kind in _KINDS.items() if kind.is_measured(traces))
        for name, _ in found:
            self._counts[name] += 1
            self._examples.setdefault(name, path)
        return found

    @property
    def shares(self) -> tuple[ProcessingShare, ...]:
        """Return the share of each kind of processing, in the order of the documentation."""
        return tuple(
            ProcessingShare(
                kind=name,
                count=self._counts[name],
                measured=self._measured[name],
                example=self._examples.get(name, ""),
            )
            for name in _KINDS
        )
