"""Counts of usable images: classes, sizes, faces, and files to look at."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.check.report import FaceCounts, ImageSizes
from edgeemo.model.tables import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edgeemo.dataset.ingest.examine import UsableImage
    from edgeemo.dataset.ingest.find import FolderLayout

MIN_SIDE = 32
"""Smallest shorter side of an image, in pixels, that is not odd."""
MAX_ASPECT_RATIO = 3
"""Largest ratio of the sides of an image that is not odd."""
MIN_CONTRAST = 12
"""Smallest standard deviation of the grey values, of 0 to 255, of an image that is not odd."""


def count_images(images: Sequence[UsableImage], layout: FolderLayout) -> dict[str, dict[str, int]]:
    """Return the number of images per split ("all" without splits) and class."""
    counts = Counter((image.split or "all", image.label) for image in images)
    return {
        split: {label: counts[split, label] for label in layout.labels}
        for split in layout.splits or ("all",)
    }


def sort_counts(counts: Counter[str]) -> dict[str, int]:
    """Return counts, the largest first."""
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def measure_sizes(numbers: NDArray[np.void]) -> ImageSizes | None:
    """Return the sizes of the images, of `CollectedFiles.numbers`; None without images."""
    if not len(numbers):
        return None
    width, height = (numbers[name].astype(np.int64) for name in ("width", "height"))
    order = np.argsort(width * height, kind="stable")
    smallest, median, largest = (
        (int(width[row]), int(height[row])) for row in order[[0, len(order) // 2, -1]]
    )
    return ImageSizes(
        smallest=smallest,
        median=median,
        largest=largest,
        different=len(np.unique(width << 32 | height)),
        bytes=int(numbers["size_bytes"].sum()),
    )


def find_odd(images: Sequence[UsableImage], numbers: NDArray[np.void]) -> Iterator[Rejected]:
    """Yield the images that are tiny, very long or of hardly any contrast."""
    shorter = np.minimum(numbers["width"], numbers["height"])
    longer = np.maximum(numbers["width"], numbers["height"])
    is_odd = (
        (shorter < MIN_SIDE)
        | (longer > MAX_ASPECT_RATIO * shorter)
        | (numbers["contrast"] < MIN_CONTRAST)
    )
    for row in np.flatnonzero(is_odd).tolist():
        reason, detail = "tiny", f"{numbers['width'][row]}x{numbers['height'][row]}"
        if shorter[row] >= MIN_SIDE:
            reason = "long"
            if longer[row] <= MAX_ASPECT_RATIO * shorter[row]:
                contrast = numbers["contrast"][row]
                reason = "faint"
                detail = f"standard deviation of the grey values: {contrast:.0f} of 255"
        yield Rejected(path=images[row].path, reason=reason, detail=detail)


def count_faces(
    images: Sequence[UsableImage],
    faces: NDArray[np.int32],
    *,
    labels: Sequence[str],
    detector: str,
) -> FaceCounts:
    """Count the images by their faces.

    Args:
        images: Usable images.
        faces: Number of faces in each of them.
        labels: The classes.
        detector: Name of the face detector.
    """
    with_face = Counter(images[row].label for row in np.flatnonzero(faces).tolist())
    sizes = Counter(image.label for image in images)
    return FaceCounts(
        detector=detector,
        one=int((faces == 1).sum()),
        several=int((faces > 1).sum()),
        none=tuple(images[row].path for row in np.flatnonzero(faces == 0).tolist()),
        share_per_class={
            label: with_face[label] / sizes[label] for label in labels if sizes[label]
        },
    )
