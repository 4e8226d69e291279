"""Training options about faces, and what a folder of crops sets for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.dataset import FACES_JSON, IngestOptions, read_decisions, read_faces_json
from edgeemo.errors import SpecError, TrainingError
from edgeemo.model.detector_file import FACE_MODEL, DetectorFile
from edgeemo.model.face_request import FaceRequest
from edgeemo.model.face_settings import Detector, FaceSettings
from edgeemo.model.input_spec import InputSpec
from edgeemo.train.options.choices import Split

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edgeemo.imaging.faces import FaceDetector
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress

FACE_OPTIONS = ("faces", "cropped", "face_detector", "face_margin", "face_score", "face_model")
"""Names of the options that are about faces."""


def build_face_settings(options: TrainOptions) -> FaceSettings | None:
    """Return the face settings of the model; None where it takes images whole.

    Raises:
        FaceModelError: If the detector's file cannot be used.
        SpecError: If a detector is unknown, a value out of its range, or options contradict.
    """
    if not options.faces:
        return None
    return _request(options).apply(FaceSettings(cropped=options.cropped))


def choose_detector(options: TrainOptions) -> Detector | None:
    """Return the face detector; that of the options, if any, where no faces are detected."""
    default = Detector.YUNET if options.face_model else Detector.BLAZE
    return options.face_detector or (default if options.faces else None)


def build_ingest_options(options: TrainOptions) -> IngestOptions:
    """Return the options that prepare the images.

    Raises:
        DatasetError: If an image format is unknown, the ratios are not three shares of 1, or the
            table of decisions cannot be read.
        FaceModelError: As `build_face_settings`.
        SpecError: As `build_face_settings`.
    """
    return IngestOptions(
        accept=options.accept,
        labels=options.labels,
        classes=options.classes,
        seed=options.seed,
        ratios=options.ratios,
        grouped=options.split is Split.GROUPED,
        crops=build_crop_specs(options),
        decisions=read_decisions(options.review) if options.review else None,
    )


def build_crop_specs(options: TrainOptions, sizes: Iterable[int] = ()) -> tuple[InputSpec, ...]:
    """Return the specifications that crop faces, for `edgeemo.dataset.IngestOptions`.

    Args:
        options: The options.
        sizes: Sides of the input in pixels; by default that of the options. A photo is decoded as
            large as the input needs it, which can decide whether a face is detected in it.

    Returns:
        One for each size; none where the images are taken whole.

    Raises:
        FaceModelError: As `build_face_settings`.
        SpecError: As `build_face_settings`.
    """
    settings = build_face_settings(options)
    if settings is None or settings.cropped:
        return ()
    return tuple(
        InputSpec(height=side, width=side, faces=settings) for side in sizes or (options.side,)
    )


def build_training_detector(options: TrainOptions) -> FaceDetector | None:
    """Build the face detector that crops the training images; None where none are cropped.

    Raises:
        FaceModelError: If the detector's own file is missing or cannot be used.
        MissingExtraError: If the detector is not installed.
    """
    settings = build_face_settings(options)
    if settings is None or settings.cropped:
        return None
    from edgeemo.imaging.faces import build_detector

    return build_detector(settings, file=read_detector_file(options))


def read_detector_file(options: TrainOptions) -> DetectorFile | None:
    """Read the face detector's own file, where the options name one.

    Raises:
        FaceModelError: If it cannot be read, or is not an ONNX file.
    """
    return DetectorFile.read(options.face_model) if options.face_model else None


def check_faces(options: TrainOptions) -> None:
    """Refuse options about faces that cannot work, before any slow work.

    Raises:
        TrainingError: If a detector is unknown, a value out of its range, or an option lacks the
            one that it requires.
    """
    given = [name for name in FACE_OPTIONS[1:] if getattr(options, name)]
    if given and not options.faces:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise TrainingError(f"{flags} {'require' if given[1:] else 'requires'} --faces")
    try:
        build_face_settings(options)
    except SpecError as error:
        raise TrainingError(str(error)) from None


def settle_faces(
    options: TrainOptions, root: Path, *, data: Path, progress: Progress
) -> TrainOptions:
    """Return the options with faces settled where the folder says so: one of crops enables them.

    Args:
        options: The options as given.
        root: The folder of images.
        data: Its name for the user: the same, or the archive that it was unpacked from.
        progress: Gets a note where the folder decides.

    Raises:
        DatasetError: If the folder's ``faces.json`` is malformed.
        FaceModelError: If a detector's file cannot be used.
        TrainingError: If the folder was cropped with a detector's file that has to be named.
    """
    if options.faces is not False and not options.cropped:
        return _settle_crops(options, root, data=data, progress=progress)
    return options


def _settle_crops(
    options: TrainOptions, root: Path, *, data: Path, progress: Progress
) -> TrainOptions:
    recorded = read_faces_json(root)
    if recorded is None:
        return options
    settings, folder = recorded
    file = options.face_model
    detector = options.face_detector or (Detector.YUNET if file else settings.detector)
    if detector.takes_file and file is None:
        file = folder / FACE_MODEL
        if not (folder.is_relative_to(data) and file.is_file()):  # an unpacked archive is removed
            raise TrainingError(
                f"{data}: a YuNet file cropped these faces; name it (--faces --cropped "
                "--face-model FILE), or take images whole (--no-faces)"
            )
    requested = replace(options, face_detector=detector, face_model=file)
    settings = _request(requested).apply(settings) or settings
    progress.note(
        f"{data}: crops of faces ({FACES_JSON}), so the model detects faces in photos: "
        f"{settings.text}; --no-faces excludes that"
    )
    return replace(
        requested,
        faces=True,
        cropped=True,
        face_margin=settings.margin,
        face_score=settings.min_score,
    )


def _request(options: TrainOptions) -> FaceRequest:
    return FaceRequest(
        enabled=True,
        detector=options.face_detector,
        margin=options.face_margin or None,
        min_score=options.face_score,
        file=read_detector_file(options),
    )
