"""The images of the report, as files in a model folder and as blocks of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.model.folder import PLOTS
from edgeemo.report.document import Gallery, Plot
from edgeemo.train.data.augment import draw_augmented_sheet
from edgeemo.train.data.augmentations import AUGMENTATIONS
from edgeemo.train.report import galleries, plots

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgeemo.train.report.calibration import CalibrationReport
    from edgeemo.train.report.evaluation import Evaluation, Mistake
    from edgeemo.train.report.inputs import FolderContents, TrainingRun


def draw_images(
    folder: Path,
    contents: FolderContents,
    *,
    test: Evaluation,
    calibration: CalibrationReport,
    mistakes: Sequence[Mistake],
) -> dict[str, Plot | Gallery]:
    """Draw the images of the report.

    Args:
        folder: The model folder, which gets a folder of plots.
        contents: The contents of the model folder.
        test: Evaluation of the test split.
        calibration: Calibration on the test split.
        mistakes: The most confident wrong predictions.

    Returns:
        The images by name; see `edgeemo.train.report.content.IllustratedReport`.
    """
    (folder / PLOTS).mkdir()
    spec, seed, pixels = contents.spec, contents.origin.seed, contents.pixels
    images: dict[str, Plot | Gallery] = {
        "classes": plots.plot_classes(folder, contents.counts),
        "samples": galleries.draw_samples(folder, pixels["train"], spec=spec, seed=seed),
        "confusion": plots.plot_confusion(folder, test, labels=spec.labels),
        "predictions": galleries.draw_predictions(
            folder, pixels["test"], evaluation=test, spec=spec, seed=seed
        ),
        "reliability": plots.plot_reliability(folder, calibration),
    }
    if mistakes:
        images["mistakes"] = galleries.draw_mistakes(
            folder, pixels["test"], evaluation=test, mistakes=mistakes
        )
    if contents.run:
        images |= _draw_training(folder, contents, contents.run)
    return images


def _draw_training(
    folder: Path, contents: FolderContents, run: TrainingRun
) -> dict[str, Plot | Gallery]:
    images: dict[str, Plot | Gallery] = {"curves": plots.plot_curves(folder, run.fitted)}
    if run.fitted.history[0].tracked:
        images["metrics"] = plots.plot_metrics(folder, run.fitted)
    name = run.options.augment
    if name != "none":
        path = f"{PLOTS}/augmented.png"
        draw_augmented_sheet(
            folder / path,
            contents.pixels["train"],
            spec=contents.spec,
            augmentation=AUGMENTATIONS[name],
            seed=run.seed,
        )
        title = f"Training images, each above the same with {name} augmentation"
        images["augmented"] = Plot(path, title, shows_photos=True)
    return images
