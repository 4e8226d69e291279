"""Verify a model folder: find the test images, run every file on them, judge, write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.dataset import open_data
from edgeemo.dataset.model_images import find_model_images
from edgeemo.errors import DatasetError, ImageError, MissingExtraError, ModelFolderError
from edgeemo.imaging.faces import build_crop_detector
from edgeemo.imaging.preprocess import preprocess
from edgeemo.model.detector_file import find_detector_file
from edgeemo.model.folder import REFERENCE, VERIFY_MD, VERIFY_PNG, open_folder
from edgeemo.model.verified import VERIFY_JSON
from edgeemo.report.markdown import to_markdown
from edgeemo.utils.files import check_writable, sha256_file, write_file
from edgeemo.utils.progress import Progress, Silent
from edgeemo.utils.text import plural
from edgeemo.verify.candidates import Candidate
from edgeemo.verify.comparison import compare_predictions
from edgeemo.verify.disagreements import draw_disagreements
from edgeemo.verify.document import build_document
from edgeemo.verify.gates import Gates, parse_kind
from edgeemo.verify.quantised import read_quantised
from edgeemo.verify.report import FileVerification, Verification
from edgeemo.verify.split_images import find_images, read_references

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import ReferencePrediction
    from edgeemo.utils.paths import StrPath

_SILENT = Silent()


def verify(
    folder: StrPath,
    *,
    data: StrPath | None = None,
    gates: Gates | None = None,
    progress: Progress = _SILENT,
) -> Verification:
    """Run every exported file on the test split and compare it with the reference model.

    Images are found by their SHA-256, wherever they lie in the data folder. Writes ``verify.png``,
    ``verify.md`` and, last, ``verify.json`` into the model folder; the same inputs and engines give
    the same bytes.

    Args:
        folder: A model folder with exported files: its path, or a `ModelFolder`.
        data: Folder or .zip of the images; by default that of the training.
        gates: Limits that each file must keep; by default those of the architecture. Stricter ones
            are only reported: ``verify.json`` and ``verify.md`` judge by those of the architecture,
            or by the looser ones that are given.
        progress: Gets the stages.

    Returns:
        The verification, whether passed or not; see `raise_for_gates`.

    Raises:
        DatasetError: If a test image cannot be found or read.
        FaceModelError: If the face detector's own file is missing or cannot be used.
        MissingExtraError: If the face detector is not installed.
        ModelFolderError: If the folder has no exported file, or its test split is unusable.
        SpecError: If its spec is malformed.
        OSError: If the folder cannot be written to.
    """
    data, opened = None if data is None else Path(data), open_folder(folder)
    opened.refuse_adopted()
    spec, files = opened.read_spec(), opened.list_exported()
    training = opened.read_training()
    own = Gates.for_architecture(training.arch, rounding=training.rounding)
    if not files:
        raise ModelFolderError(
            f"{opened.path}: no exported file to verify; run 'edgeemo export {opened.path}'"
        )
    references, source = read_references(opened, spec), find_model_images(opened, data)
    check_writable(opened.path)
    file = find_detector_file(spec.faces, opened.path)
    detector = build_crop_detector(spec, file=file)
    with open_data(source) as root:
        images = find_images(references, root, source, progress)
        candidates = [Candidate(path, spec, n=len(references)) for path in files]
        _run_candidates(
            candidates, references, images, spec=spec, detector=detector, progress=progress
        )
        recorded = own.loosen(gates or own, len(references))
        verification = _build_verification(
            opened, candidates, references, spec=spec, gates=recorded
        )
        draw_disagreements(
            opened.file(VERIFY_PNG),
            references,
            scores={each.path.name: each.scores for each in candidates if each.error is None},
            images=images,
            spec=spec,
            detector=detector,
        )
    _write(opened, verification)
    return verification.judge(gates or own)


def _write(folder: ModelFolder, verification: Verification) -> None:
    quantised = read_quantised(folder, verification)
    name = folder.path.resolve().name
    document = build_document(verification, name=name, quantised=quantised)
    write_file(folder.file(VERIFY_MD), to_markdown(document))
    folder.write_json(VERIFY_JSON, verification)  # last: it marks files as verified


def _run_candidates(
    candidates: Sequence[Candidate],
    references: Sequence[ReferencePrediction],
    images: Mapping[str, Path],
    *,
    spec: ModelSpec,
    detector: FaceDetector | None,
    progress: Progress,
) -> None:
    """Run every file on every image. One image is in memory at a time, decoded once."""
    progress.stage(f"Verifying {plural(len(candidates), 'file')}", total=len(references))
    for row, reference in enumerate(references):
        try:
            pixels = preprocess(images[reference.sha256], spec, detector=detector)
        except ImageError as error:
            raise DatasetError(
                f"{error}; it is the test image {reference.path}: restore it, or name another "
                "folder with --data"
            ) from None
        for candidate in candidates:
            candidate.predict(row, pixels)
        progress.advance()


def _build_verification(
    folder: ModelFolder,
    candidates: Sequence[Candidate],
    references: Sequence[ReferencePrediction],
    *,
    spec: ModelSpec,
    gates: Gates,
) -> Verification:
    from edgeemo import __version__

    return Verification(
        n=len(references),
        edgeemo_version=__version__,
        reference_sha256=sha256_file(folder.file(REFERENCE)),
        gates=gates,
        files=tuple(_verify_file(each, references, spec, gates) for each in candidates),
    )


def _verify_file(
    candidate: Candidate, references: Sequence[ReferencePrediction], spec: ModelSpec, gates: Gates
) -> FileVerification:
    kind, model, error = parse_kind(candidate.path), candidate.model, candidate.error
    outcome = FileVerification(
        file=candidate.path.name,
        kind=kind,
        status="not run" if isinstance(error, MissingExtraError) else "failed",
        sha256=model.sha256 if model else "",
        size_bytes=model.size_bytes if model else 0,
        engine=candidate.engine.name if candidate.engine else "",
    )
    if error is not None:
        return replace(outcome, reasons=(str(error).removeprefix(f"{candidate.path}: "),))
    measured = compare_predictions(references, candidate.scores, spec=spec)
    notes = gates.list_notes(kind, measured.n)
    return replace(outcome, notes=notes, measured=measured).judge(gates)
