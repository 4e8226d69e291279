"""The verification itself: find the test images, run every file on them, judge, write."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.dataset import locate_files, open_data
from edgeemo.errors import DatasetError, ImageError, MissingExtraError, ModelFolderError
from edgeemo.imaging.faces import build_crop_detector
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.detector_file import find_detector_file
from edgeemo.model.folder import REFERENCE, SPLIT, TRAINING, VERIFY_MD, VERIFY_PNG
from edgeemo.model.verified import VERIFY_JSON
from edgeemo.utils.files import sha256_file, write_file
from edgeemo.utils.progress import Progress, Silent
from edgeemo.utils.text import plural
from edgeemo.verify.candidates import Candidate
from edgeemo.verify.gates import Gates, kind_of
from edgeemo.verify.markdown import to_markdown
from edgeemo.verify.measure import measure
from edgeemo.verify.report import FileVerification, Verification
from edgeemo.verify.worst import draw_worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Reference

_SILENT = Silent()


def verify(
    folder: ModelFolder,
    *,
    data: Path | None = None,
    gates: Gates | None = None,
    progress: Progress = _SILENT,
) -> Verification:
    """Run every exported file of a model folder on the test split and compare with the original.

    Images are found by their SHA-256, wherever they lie below the data folder now. Writes
    ``verify.png``, ``verify.md`` and, last, ``verify.json`` into the model folder; the same inputs
    and engines give the same bytes.

    Args:
        folder: A model folder with exported files.
        data: Folder or .zip with the images; by default where they lay at training.
        gates: What each file has to keep to; by default what its architecture can.
        progress: Told where the verification is.

    Returns:
        The report, whether passed or not; see `raise_for_gates`.

    Raises:
        DatasetError: If a test image cannot be found or read.
        FaceModelError: If the face detector's own file is missing or cannot be used.
        MissingExtraError: If the face detector is not installed.
        ModelFolderError: If the folder has no exported file, or its test split is unusable.
        SpecError: If its spec is malformed.
    """
    spec, files = folder.spec(), folder.exported()
    gates = gates or Gates.for_architecture(folder.read_json(TRAINING).get("arch"))
    if not files:
        raise ModelFolderError(
            f"{folder.path}: no exported file to verify; run 'edgeemo export {folder.path}'"
        )
    references, source = _references(folder, spec), _data(folder, data)
    file = find_detector_file(spec.faces, folder.path)
    detector = build_crop_detector(spec, file=file)
    with open_data(source) as root:
        images = _find(references, root, source, progress)
        candidates = [Candidate(path, spec, n=len(references)) for path in files]
        _run(candidates, references, images, spec=spec, detector=detector, progress=progress)
        report = _report(folder, candidates, references, spec=spec, gates=gates)
        answers = {each.path.name: each.scores for each in candidates if each.error is None}
        draw_worst(
            folder.file(VERIFY_PNG),
            references,
            answers,
            images=images,
            spec=spec,
            detector=detector,
        )
    write_file(folder.file(VERIFY_MD), to_markdown(report, name=folder.path.resolve().name))
    folder.write_json(VERIFY_JSON, report)  # last: it is what marks files as verified
    return report


def _references(folder: ModelFolder, spec: ModelSpec) -> list[Reference]:
    """The original's answers, checked: they must fit the spec and be the whole test split."""
    rows, remedy = folder.references(), "train or import the model again"
    if not rows:
        raise ModelFolderError(f"{folder.path}: {REFERENCE} lists no test image; {remedy}")
    for row in rows:
        if len(row.scores) != len(spec.labels) or not all(map(math.isfinite, row.scores)):
            raise ModelFolderError(
                f"{folder.path}: {REFERENCE} has no {len(spec.labels)} probabilities for "
                f"{row.path}; {remedy}"
            )
        if row.label not in spec.labels:
            raise ModelFolderError(
                f"{folder.path}: {REFERENCE} has the unknown label {row.label!r}; {remedy}"
            )
    test = Counter(sample.sha256 for sample in folder.samples() if sample.split == "test")
    if test != Counter(row.sha256 for row in rows):
        raise ModelFolderError(
            f"{folder.path}: {REFERENCE} does not cover the test split of {SPLIT}; {remedy}"
        )
    return rows


def _data(folder: ModelFolder, data: Path | None) -> Path:
    source = data or folder.data()
    if source is None:
        raise DatasetError(
            f"{folder.path}: does not say where its images lay; name their folder with --data"
        )
    if data is None and not source.exists():
        raise DatasetError(
            f"{source}: the images that the model was trained on are no longer there; "
            "say where they are with --data"
        )
    return source


def _find(
    references: Sequence[Reference], root: Path, source: Path, progress: Progress
) -> dict[str, Path]:
    wanted = {row.sha256: row.path for row in references}
    found = locate_files(root, wanted, hint=wanted, progress=progress)
    missing = [row for row in references if row.sha256 not in found]
    if missing:
        raise DatasetError(
            f"{source}: {len(missing):,} of {len(references):,} test images are not there "
            f"(the first is {missing[0].path}, SHA-256 {missing[0].sha256[:12]}...); "
            "say with --data where the images are that the model was trained on"
        )
    return found


def _run(
    candidates: Sequence[Candidate],
    references: Sequence[Reference],
    images: Mapping[str, Path],
    *,
    spec: ModelSpec,
    detector: FaceDetector | None,
    progress: Progress,
) -> None:
    """Let every file answer every image. One image is in memory at a time, decoded once."""
    progress.stage(f"Verifying {plural(len(candidates), 'file')}", total=len(references))
    for row, reference in enumerate(references):
        try:
            pixels = preprocess(images[reference.sha256], spec, detector=detector)
        except ImageError as error:
            raise DatasetError(
                f"{error}; it is needed as the test image {reference.path}: restore it, or say "
                "with --data where the images are"
            ) from None
        for candidate in candidates:
            candidate.answer(row, pixels)
        progress.advance()


def _report(
    folder: ModelFolder,
    candidates: Sequence[Candidate],
    references: Sequence[Reference],
    *,
    spec: ModelSpec,
    gates: Gates,
) -> Verification:
    from edgeemo import __version__

    return Verification(
        n=len(references),
        files=tuple(_file_report(each, references, spec, gates) for each in candidates),
        gates=gates,
        edgeemo_version=__version__,
        reference_sha256=sha256_file(folder.file(REFERENCE)),
    )


def _file_report(
    candidate: Candidate, references: Sequence[Reference], spec: ModelSpec, gates: Gates
) -> FileVerification:
    kind, model, error = kind_of(candidate.path), candidate.model, candidate.error
    report = FileVerification(
        file=candidate.path.name,
        kind=kind,
        status="not run" if isinstance(error, MissingExtraError) else "failed",
        sha256=model.sha256 if model else "",
        size_bytes=model.size_bytes if model else 0,
        engine=candidate.engine.name if candidate.engine else "",
    )
    if error is not None:
        return replace(report, reasons=(str(error).removeprefix(f"{candidate.path}: "),))
    measured = measure(references, candidate.scores, spec=spec)
    failures = gates.failures(kind, measured)
    return replace(
        report,
        status="failed" if failures else "passed",
        reasons=failures,
        notes=gates.notes(kind, measured.n),
        measured=measured,
    )
