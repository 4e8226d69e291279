"""Counts of usable images: classes, sizes, faces, and files to look at."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edgeemo.dataset.check.report import FaceCounts, ImageSizes
from edgeemo.imaging.suffixes import format_by_name
from edgeemo.model.tables import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edgeemo.dataset.check.inspection import ImageStatistics, InspectedFile
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


def count_names(names: Iterable[str]) -> dict[str, int]:
    """Return how often each name occurs, the most frequent first."""
    return dict(sorted(Counter(names).items(), key=lambda entry: (-entry[1], entry[0])))


def measure_sizes(statistics: Sequence[ImageStatistics]) -> ImageSizes | None:
    """Return the sizes of the images; None without images."""
    if not statistics:
        return None
    sizes = sorted(
        ((one.width, one.height) for one in statistics), key=lambda size: size[0] * size[1]
    )
    return ImageSizes(
        smallest=sizes[0],
        median=sizes[len(sizes) // 2],
        largest=sizes[-1],
        different=len(set(sizes)),
        bytes=sum(one.size_bytes for one in statistics),
    )


def find_disguised(files: Sequence[InspectedFile]) -> Iterator[Rejected]:
    """Yield the files whose extension stands for another format than the content has."""
    for file in files:
        if file.disguised:
            path = file.verdict.path
            detail = f"named as {format_by_name(path)}, but {file.format}"
            yield Rejected(path=path, reason="disguised", detail=detail)


def find_processed(files: Sequence[InspectedFile]) -> Iterator[Rejected]:
    """Yield a row for each kind of processing of which an image has traces."""
    for file in files:
        if file.traces is not None:
            for kind, detail in file.traces.list_findings():
                yield Rejected(path=file.verdict.path, reason=kind, detail=detail)


def find_odd(
    images: Sequence[UsableImage], statistics: Sequence[ImageStatistics]
) -> Iterator[Rejected]:
    """Yield the images that are tiny, very long or of hardly any contrast."""
    for image, one in zip(images, statistics, strict=True):
        shorter, longer = sorted((one.width, one.height))
        if shorter < MIN_SIDE:
            yield Rejected(path=image.path, reason="tiny", detail=f"{one.width}x{one.height}")
        elif longer > MAX_ASPECT_RATIO * shorter:
            yield Rejected(path=image.path, reason="long", detail=f"{one.width}x{one.height}")
        elif one.contrast < MIN_CONTRAST:
            detail = f"standard deviation of the grey values: {one.contrast:.0f} of 255"
            yield Rejected(path=image.path, reason="faint", detail=detail)


def count_faces(
    images: Sequence[UsableImage],
    statistics: Sequence[ImageStatistics],
    *,
    labels: Sequence[str],
    detector: str,
) -> FaceCounts:
    """Count the images by their faces.

    Args:
        images: Usable images.
        statistics: Statistics of each of them.
        labels: The classes.
        detector: Name of the face detector.
    """
    counts = [one.faces or 0 for one in statistics]
    pairs = list(zip(images, counts, strict=True))
    with_face = Counter(image.label for image, count in pairs if count)
    sizes = Counter(image.label for image in images)
    return FaceCounts(
        detector=detector,
        one=counts.count(1),
        several=sum(count > 1 for count in counts),
        none=tuple(image.path for image, count in pairs if not count),
        share_per_class={
            label: with_face[label] / sizes[label] for label in labels if sizes[label]
        },
    )
