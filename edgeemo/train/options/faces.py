"""What a training's options say of faces, and what a folder of crops says for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.dataset import FACES_JSON, recorded_faces
from edgeemo.errors import SpecError, TrainingError
from edgeemo.imaging.faces import face_finder
from edgeemo.imaging.faces.model_file import FACE_MODEL, name_file
from edgeemo.model.spec import DETECTORS, FaceChanges, FaceSettings, ModelSpec, detector_for
from edgeemo.train.options.choices import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edgeemo.train.options.options import TrainOptions
    from edgeemo.utils.progress import Progress

FACE_OPTIONS = ("faces", "cropped", "face_detector", "face_margin", "face_score", "face_model")
"""Names of the options that are about faces."""


def face_settings(options: TrainOptions) -> FaceSettings | None:
    """How the model finds faces; None where it answers images as a whole.

    Raises:
        FaceModelError: If the detector's file cannot be used.
        SpecError: If a detector is unknown, or a margin out of its range.
    """
    if not options.faces:
        return None
    return FaceSettings(
        detector=detector(options),
        margin=options.face_margin,
        least_score=options.face_score,
        cropped=options.cropped,
        file_sha256=name_file(options.face_model) if options.face_model else "",
    )


def detector(options: TrainOptions) -> str:
    """What finds faces; "" where nothing does."""
    if not options.faces:
        return options.face_detector
    return detector_for(options.face_detector, file=options.face_model)


def crops(options: TrainOptions, sizes: Iterable[int] = ()) -> tuple[ModelSpec, ...]:
    """How faces will be cropped, for `edgeemo.dataset.IngestOptions`; none where they are not.

    Args:
        options: The options.
        sizes: Sides of the input in pixels; by default that of the options. A photo is decoded as
            large as the input needs it, which can decide whether a face is found in it.

    Raises:
        FaceModelError: As `face_settings`.
        SpecError: As `face_settings`.
    """
    settings = face_settings(options)
    if settings is None or settings.cropped:
        return ()
    return tuple(
        ModelSpec(labels=("-", "+"), height=side, width=side, faces=settings)
        for side in sizes or (options.side,)
    )


def check_faces(options: TrainOptions) -> None:
    """Refuse what cannot work, before any slow work.

    Raises:
        TrainingError: If a detector is unknown, a margin out of its range, or an option goes
            without the one that it belongs to.
    """
    said = [name for name in FACE_OPTIONS[1:] if getattr(options, name)]
    if said and not options.faces:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in said)
        raise TrainingError(f"{flags} without --faces: name --faces, too, or leave that out")
    if not options.faces:
        return
    chosen = detector(options)
    if chosen not in DETECTORS:
        raise unknown("face detector", chosen, DETECTORS)
    if chosen == "yunet" and options.face_model is None:
        raise TrainingError("face detector yunet needs its file: name it with --face-model")
    if chosen != "yunet" and options.face_model is not None:
        raise TrainingError(
            f"face detector {chosen} takes no file; leave --face-model or --face-detector out"
        )
    try:
        face_settings(options)
    except SpecError as error:
        raise TrainingError(str(error)) from None


def as_the_data_says(
    options: TrainOptions, root: Path, *, data: Path, progress: Progress
) -> TrainOptions:
    """The options, with faces settled: a folder of crops turns them on unless they are ruled out.

    What finds faces is made ready, so that what it lacks is told before the slow work.

    Args:
        options: What was asked for.
        root: The folder of images.
        data: What the user calls it: the same, or the archive that it was unpacked from.
        progress: Is told where the folder decides.

    Raises:
        DatasetError: If the folder's ``faces.json`` is malformed.
        FaceModelError: If a detector's file is missing or cannot be used.
        MissingExtraError: If what finds faces is not installed.
        TrainingError: If the folder was cropped with a detector's file that has to be named.
    """
    if options.faces is not False and not options.cropped:
        options = _of_crops(options, root, data=data, progress=progress)
    settings = face_settings(options)
    if settings is not None and not settings.cropped:
        face_finder(settings)
    return replace(options, faces=settings is not None)


def _of_crops(options: TrainOptions, root: Path, *, data: Path, progress: Progress) -> TrainOptions:
    found = recorded_faces(root)
    if found is None:
        return options
    settings, folder = found
    file = options.face_model
    chosen = detector_for(options.face_detector, file=file, usual=settings.detector)
    if chosen == "yunet" and file is None:
        file = folder / FACE_MODEL
        if not (folder.is_relative_to(data) and file.is_file()):  # an unpacked archive goes again
            raise TrainingError(
                f"{data}: a YuNet file cropped these faces; name it (--faces --cropped "
                "--face-model FILE), or do without photos (--no-faces)"
            )
    asked = FaceChanges(
        detector=chosen, margin=options.face_margin or None, least_score=options.face_score
    ).applied(settings)
    progress.note(
        f"{data}: crops of faces ({FACES_JSON}), so the model finds faces in photos: "
        f"{asked.text}; --no-faces leaves that out"
    )
    return replace(
        options,
        faces=True,
        cropped=True,
        face_detector=asked.detector,
        face_margin=asked.margin,
        face_score=asked.least_score,
        face_model=file,
    )
