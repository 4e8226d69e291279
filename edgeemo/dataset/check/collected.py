"""The inspected files of a check, packed: a folder may have millions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.dataset.check.features import FEATURES
from edgeemo.dataset.ingest.fingerprint import THUMBNAIL_SIDE
from edgeemo.dataset.ingest.near_hashes import HASH_BITS
from edgeemo.dataset.processing.shares import ShareCounter
from edgeemo.imaging.suffixes import format_by_name
from edgeemo.model.tables import Rejected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.dataset.check.inspection import ImageStatistics, InspectedFile
    from edgeemo.dataset.ingest.examine import UsableImage
    from edgeemo.dataset.ingest.find import LabelledFile

_NUMBERS = np.dtype(
    [
        ("width", np.int32),
        ("height", np.int32),
        ("size_bytes", np.int64),
        ("brightness", np.float64),
        ("contrast", np.float64),
        ("colour", np.float64),
        ("faces", np.int32),
    ]
)


class CollectedFiles:
    """Counts of the inspected files, and the usable images among them.

    Args:
        count: Number of files that may be added.

    Attributes:
        images: The usable images, without hash and thumbnail, which are in `hashes` and
            `thumbnails`.
        found: Number of files.
        formats: Number of files per format; "none" for no image.
        modes: Number of usable images per colour mode.
        unusable: Files that cannot be used.
        disguised: Files whose extension stands for another format than the content has.
        processed: A row for each kind of processing of which an image has traces.
        shares: Share of the images of each kind of processing.
    """

    def __init__(self, count: int) -> None:
        self.images: list[UsableImage] = []
        self.found = 0
        self.formats: Counter[str] = Counter()
        self.modes: Counter[str] = Counter()
        self.unusable: list[Rejected] = []
        self.disguised: list[Rejected] = []
        self.processed: list[Rejected] = []
        self.shares = ShareCounter()
        # The system provides memory for what is written to these, and for no more.
        self._numbers = np.empty(count, _NUMBERS)
        self._hashes = np.empty((count, HASH_BITS // 8), np.uint8)
        self._thumbnails = np.empty((count, THUMBNAIL_SIDE**2), np.uint8)
        self._features = np.empty((count, FEATURES), np.uint8)

    @property
    def numbers(self) -> NDArray[np.void]:
        """Return the statistics of each usable image, as `ImageStatistics` names them."""
        return self._numbers[: len(self.images)]

    @property
    def hashes(self) -> NDArray[np.uint8]:
        """Return the perceptual hash of each usable image, of shape (N, 8)."""
        return self._hashes[: len(self.images)]

    @property
    def thumbnails(self) -> NDArray[np.uint8]:
        """Return the thumbnail of each usable image, of shape (N, 256)."""
        return self._thumbnails[: len(self.images)]

    @property
    def features(self) -> NDArray[np.uint8]:
        """Return the features of each usable image, of shape (N, 512)."""
        return self._features[: len(self.images)]

    def add(self, file: LabelledFile, inspected: InspectedFile) -> None:
        """Add a file.

        Args:
            file: The file, whose texts are kept instead of equal ones.
            inspected: Its inspection.
        """
        verdict, traces = inspected.verdict, inspected.traces
        self.found += 1
        self.formats[inspected.format or "none"] += 1
        if inspected.disguised:
            detail = f"named as {format_by_name(verdict.path)}, but {inspected.format}"
            self.disguised.append(Rejected(path=verdict.path, reason="disguised", detail=detail))
        if isinstance(verdict, Rejected):
            self.unusable.append(verdict)
        elif inspected.statistics is not None:
            self._add_image(file, verdict, inspected.statistics)
        if traces is not None:
            for kind, detail in self.shares.add(file.path, traces):
                self.processed.append(Rejected(path=file.path, reason=kind, detail=detail))

    def _add_image(
        self, file: LabelledFile, image: UsableImage, statistics: ImageStatistics
    ) -> None:
        row = len(self.images)
        self.modes[statistics.mode] += 1
        self._numbers[row] = tuple(getattr(statistics, name) or 0 for name in _NUMBERS.names or ())
        self._hashes[row] = np.frombuffer(image.perceptual_hash, np.uint8)
        self._thumbnails[row] = np.frombuffer(image.thumbnail, np.uint8)
        self._features[row] = np.frombuffer(statistics.features, np.uint8)
        self.images.append(
            replace(
                image,
                path=file.path,
                label=file.label,
                split=file.split,
                perceptual_hash=b"",
                thumbnail=b"",
            )
        )
