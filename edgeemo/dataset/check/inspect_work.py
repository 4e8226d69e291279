"""The inspection of files as work of `edgeemo.bulk`, and its rows in Parquet files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.bulk.bucket_path import BucketPath, make_path
from edgeemo.bulk.read_ahead import count_readers
from edgeemo.bulk.work import Work, decode_name, encode_name
from edgeemo.dataset.check.inspection import ImageStatistics, InspectedFile, inspect_files
from edgeemo.dataset.ingest.examine import UsableImage, to_printable
from edgeemo.dataset.ingest.find import LabelledFile
from edgeemo.dataset.ingest.fingerprint import require_libraries
from edgeemo.dataset.ingest.formats import list_accepted_formats
from edgeemo.dataset.pool import iterate_in_threads
from edgeemo.dataset.processing.traces import ImageTraces
from edgeemo.imaging.faces import build_detector
from edgeemo.model.tables import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.detector_file import DetectorFile
    from edgeemo.model.face_settings import FaceSettings
    from edgeemo.utils.paths import StrPath

_FILE = ("label", "split", "format", "disguised")
_STATISTICS = (
    "mode", "width", "height", "size_bytes", "brightness", "contrast", "colour", "faces",
    "features",
)  # fmt: skip
_TRACES = ("flatness", "gaps", "drop", "evidence", "quality")


class InspectWork(Work[LabelledFile, InspectedFile]):
    """Inspects files of a folder.

    Args:
        root: The folder that the paths of the files are relative to.
        accept: Formats to accept besides JPEG, PNG and BMP.
        faces: Settings of the face detector; None to detect no faces.
        detector_file: The face detector's own file, where it has one.
        detector: The face detector, if it is built already; required without `faces`.
        detector_name: Name of the detector in the report; None for that in `faces`.
        source: Name of the folder in the record of a run; None for its path.

    Attributes:
        formats: Accepted formats, as Pillow names them, sorted.
        faces: Settings of the face detector; None without any.
        detector_name: Name of the face detector; empty without one.
    """

    def __init__(
        self,
        root: StrPath,
        *,
        accept: Iterable[str] = (),
        faces: FaceSettings | None = None,
        detector_file: DetectorFile | None = None,
        detector: FaceDetector | None = None,
        detector_name: str | None = None,
        source: StrPath | None = None,
    ) -> None:
        self._root = _make_absolute(root)
        self._source = str(_make_absolute(source or root))
        self.formats = sorted(list_accepted_formats(accept))
        self.faces, self._detector_file = faces, detector_file
        self._detector = detector
        default = faces.detector if faces else ""
        self.detector_name = default if detector_name is None else detector_name

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_detector": None if self.faces else self._detector}

    @property
    def detects_faces(self) -> bool:
        """Return whether faces are detected."""
        return self.faces is not None or self._detector is not None

    def describe(self) -> Mapping[str, object]:
        """See `edgeemo.bulk.work.Work`."""
        from edgeemo.utils.serialize import to_plain

        return {
            "work": "check",
            "source": self._source,
            "formats": self.formats,
            "faces": to_plain(self.faces),
        }

    def open(self) -> None:
        """See `edgeemo.bulk.work.Work`."""
        require_libraries()
        if self.faces and self._detector is None:
            self._detector = build_detector(self.faces, file=self._detector_file)

    def run(self, items: Iterable[LabelledFile], *, workers: int) -> Iterator[InspectedFile]:
        """See `edgeemo.bulk.work.Work`."""
        return iterate_in_threads(
            items,
            lambda batch: inspect_files(
                self._root, batch, formats=self.formats, detector=self._detector
            ),
            workers=count_readers(self._root, workers),
        )

    def fail(self, item: LabelledFile, reason: str) -> InspectedFile:
        """See `edgeemo.bulk.work.Work`."""
        verdict = Rejected(path=to_printable(item.path), reason="damaged", detail=reason)
        return InspectedFile(
            verdict=verdict,
            label=item.label,
            split=item.split,
            format=None,
            disguised=False,
            statistics=None,
        )

    def find_path(self, item: LabelledFile) -> str:
        """See `edgeemo.bulk.work.Work`."""
        return "" if isinstance(self._root, BucketPath) else str(self._root / item.path)

    def to_table(self, results: Sequence[InspectedFile]) -> Any:
        """Return a row per file: the verdict, statistics, and what tells images apart."""
        import pyarrow

        rows = [_to_row(one) for one in results]
        return pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(_list_columns()))

    def from_table(self, table: Any) -> list[InspectedFile]:
        """See `edgeemo.bulk.work.Work`."""
        return [_from_row(row) for row in table.to_pylist()]


def _make_absolute(path: StrPath) -> Path:
    made = make_path(path)
    return made if isinstance(made, BucketPath) else Path(os.path.abspath(made))  # noqa: PTH100


def _list_columns() -> list[tuple[str, str]]:
    """Return the name and the type of each column."""
    texts = ("path", "label", "split", "reason", "detail", "format")
    return [
        *((name, "string") for name in texts),
        ("disguised", "bool"),
        ("mode", "string"),
        *((name, "int64") for name in ("width", "height", "size_bytes")),
        *((name, "double") for name in ("brightness", "contrast", "colour")),
        ("faces", "int32"),
        *((name, "double") for name in ("flatness", "gaps", "drop", "evidence")),
        ("quality", "int32"),
        ("sha256", "string"),
        ("perceptual_hash", "string"),
        ("thumbnail", "binary"),
        ("features", "binary"),
    ]


def _to_row(one: InspectedFile) -> dict[str, Any]:
    """Return a file as a row, without the columns that it has no values of."""
    verdict = one.verdict
    row = {"path": verdict.path, **{name: getattr(one, name) for name in _FILE}}
    row["label"] = encode_name(one.label)  # the name of the folder, where it has no classes
    if isinstance(verdict, Rejected):
        return {**row, "reason": verdict.reason, "detail": verdict.detail}
    row |= {name: getattr(one.statistics, name) for name in _STATISTICS}
    if one.traces:
        row |= {name: getattr(one.traces, name) for name in _TRACES}
    return row | {
        "sha256": verdict.sha256,
        "perceptual_hash": verdict.perceptual_hash.hex(),
        "thumbnail": verdict.thumbnail,
    }


def _from_row(row: Mapping[str, Any]) -> InspectedFile:
    file = {**{name: row[name] for name in _FILE}, "label": decode_name(row["label"])}
    if row["reason"] is not None:
        verdict = Rejected(path=row["path"], reason=row["reason"], detail=row["detail"])
        return InspectedFile(verdict=verdict, statistics=None, **file)
    image = UsableImage(
        path=row["path"],
        label=file["label"],
        split=row["split"],
        sha256=row["sha256"],
        perceptual_hash=bytes.fromhex(row["perceptual_hash"]),
        thumbnail=row["thumbnail"],
        wrong_extension=row["disguised"],
    )
    return InspectedFile(
        verdict=image,
        statistics=ImageStatistics(**{name: row[name] for name in _STATISTICS}),
        traces=None if row["flatness"] is None else ImageTraces(**{n: row[n] for n in _TRACES}),
        **file,
    )
