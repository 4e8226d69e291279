"""Images on which `--auto` compares int8 files: never those of the test split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.dataset import locate_files, open_data
from edgeemo.dataset.model_images import find_model_images
from edgeemo.errors import DatasetError
from edgeemo.export.agreement import Judge
from edgeemo.export.calibration_images import choose_samples, read_images
from edgeemo.imaging.faces import build_crop_detector
from edgeemo.model.detector_file import find_detector_file
from edgeemo.model.keras_engine import predict
from edgeemo.utils.text import plural

if TYPE_CHECKING:
    from pathlib import Path

    from edgeemo.export.calibration_images import Calibration
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.tables import Sample
    from edgeemo.utils.progress import Progress

_MOST = 2000
_MOST_BYTES = 256_000_000

_FEW = 300
"""Number of images below which a choice is little better than chance."""


def prepare_judge(
    folder: ModelFolder,
    model: Any,
    *,
    calibration: Calibration,
    data: Path | None,
    progress: Progress,
) -> Judge:
    """Read the images of the choice, and predict them with the reference model.

    They are validation images; without any, training images that int8 is not calibrated on.

    Args:
        folder: The model folder.
        model: Its reference model.
        calibration: The calibration of int8.
        data: Folder or ZIP archive of the images; by default the one recorded in the model folder.
        progress: Receiver of the progress.

    Raises:
        DatasetError: If none can be read.
    """
    spec = folder.read_spec()
    split, samples = _find_samples(folder, calibration)
    count = max(1, min(_MOST, _MOST_BYTES // int(np.prod(spec.input_shape))))
    if len(samples) > count:
        seed = calibration.facts["seed"]
        samples = choose_samples(samples, spec.labels, count=count, seed=seed)
    detector = build_crop_detector(spec, file=find_detector_file(spec.faces, folder.path))
    with open_data(find_model_images(folder, data)) as root:
        hint = {sample.sha256: sample.path for sample in samples}
        found = locate_files(root, hint.keys(), hint=hint, progress=progress)
        samples = [sample for sample in samples if sample.sha256 in found]
        progress.stage(f"Reading {split} images", total=len(samples))
        pixels, _ = read_images(samples, found, spec=spec, detector=detector, progress=progress)
    if not len(pixels):
        raise DatasetError(
            f"{folder.path}: none of its {split} images is there, which --auto needs"
        )
    if len(pixels) < _FEW:
        progress.note(
            f"warning: --auto compares on only {plural(len(pixels), f'{split} image')}; with fewer "
            f"than {_FEW} its choice is little better than chance"
        )
    outputs = predict(model, pixels * np.float32(spec.scale))
    scores = np.array([spec.scores(row) for row in outputs.tolist()], np.float64)
    return Judge(pixels, scores, spec=spec, split=split)


def _find_samples(folder: ModelFolder, calibration: Calibration) -> tuple[str, list[Sample]]:
    samples = folder.read_samples()
    validation = [sample for sample in samples if sample.split == "validation"]
    if validation:
        return "validation", validation
    known = {sample.sha256 for sample in calibration.samples}
    rest = [each for each in samples if each.split == "train" and each.sha256 not in known]
    return "train", rest
