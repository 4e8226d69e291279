"""Traces of processing in images: measured together, which is faster, and judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from edgeemo.dataset.processing.histograms import measure_flatness, measure_gaps
from edgeemo.dataset.processing.jpeg_traces import BLOCK, measure_earlier_quality
from edgeemo.dataset.processing.spectrum import MIN_SIDE, measure_drop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from edgeemo.dataset.processing.sampling import ImageSample

MAX_FLATNESS = 0.014
"""Greatest mean difference from a flat histogram of an equalised image."""
MIN_GAPS = 0.08
"""Smallest share of missing grey levels of a stretched image."""
MIN_DROP = 1.92
"""Smallest drop of the spectrum, as a power of ten, of an upscaled image."""
MIN_EVIDENCE = 6.5
"""Smallest evidence of an earlier compression, in standard deviations."""

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class ImageTraces:
    """Traces of processing in an image. None: not measured in such an image.

    Attributes:
        flatness: `measure_flatness` of grey or green, whichever is flatter.
        gaps: `measure_gaps` of green or, without colours, of grey; None of a lossy file.
        drop: `measure_drop`; None of a reduced or small image.
        evidence: `measure_earlier_quality`; None of a reduced or small image.
        quality: The likeliest earlier quality, 1 to 100; 0 where `evidence` is None.
    """

    flatness: float
    gaps: float | None
    drop: float | None
    evidence: float | None
    quality: int

    def list_findings(self) -> Iterator[tuple[str, str]]:
        """Yield the name of each kind of processing that is found, with the measured value.

        Equalisation leaves gaps as well, so an equalised image is not called stretched.
        """
        if self.flatness <= MAX_FLATNESS:
            yield "equalised", f"{self.flatness:.1%} from a flat histogram"
        elif self.gaps is not None and self.gaps >= MIN_GAPS:
            yield "stretched", f"{self.gaps:.0%} of the grey levels are missing"
        if self.drop is not None and self.drop >= MIN_DROP:
            yield (
                "upscaled",
                f"detail falls {10**self.drop:,.0f}-fold at a half or a third of its range",
            )
        if self.evidence is not None and self.evidence >= MIN_EVIDENCE:
            yield "recompressed", f"traces of JPEG quality {self.quality} or so"


def measure_traces(samples: Sequence[ImageSample]) -> list[ImageTraces]:
    """Measure the traces of processing in images.

    Args:
        samples: The images.

    Returns:
        The traces of each.
    """
    if not samples:
        return []
    drop: dict[int, float] = {}
    evidence: dict[int, tuple[float, int]] = {}
    for (height, width), numbers in _group(samples, _get_shape):
        if min(height, width) >= MIN_SIDE:
            drop.update(zip(numbers, measure_drop(_stack(samples, numbers)).tolist(), strict=True))
    for (table, (height, width)), numbers in _group(samples, _get_table):
        if min(height, width) >= BLOCK:
            each, quality = measure_earlier_quality(_stack(samples, numbers), table)
            pairs = zip(each.tolist(), quality.tolist(), strict=True)
            evidence.update(zip(numbers, pairs, strict=True))
    flatness, gaps = _measure_levels(samples)
    return [
        ImageTraces(
            flatness=flatness[number],
            gaps=gaps[number] if sample.is_lossless else None,
            drop=drop.get(number),
            evidence=evidence[number][0] if number in evidence else None,
            quality=evidence[number][1] if number in evidence else 0,
        )
        for number, sample in enumerate(samples)
    ]


def _measure_levels(samples: Sequence[ImageSample]) -> tuple[list[float], list[float]]:
    """Return the flatness and the gaps of each image."""
    counts = np.concatenate([sample.counts for sample in samples])
    flatness, gaps = measure_flatness(counts), measure_gaps(counts)
    ends = np.cumsum([len(sample.counts) for sample in samples])
    starts = np.concatenate([[0], ends[:-1]])
    return np.minimum.reduceat(flatness, starts).tolist(), gaps[ends - 1].tolist()


def _get_shape(sample: ImageSample) -> tuple[int, int]:
    return (0, 0) if sample.patch is None else sample.patch.shape


def _get_table(sample: ImageSample) -> tuple[bytes, tuple[int, int]]:
    return sample.table, _get_shape(sample)


def _group(
    samples: Sequence[ImageSample], key: Callable[[ImageSample], _Key]
) -> Iterable[tuple[_Key, list[int]]]:
    """Return the numbers of the images of each key."""
    groups: dict[_Key, list[int]] = {}
    for number, sample in enumerate(samples):
        groups.setdefault(key(sample), []).append(number)
    return groups.items()


def _stack(samples: Sequence[ImageSample], numbers: Iterable[int]) -> NDArray[np.uint8]:
    return np.stack([p for number in numbers if (p := samples[number].patch) is not None])
