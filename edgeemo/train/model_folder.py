"""The content of a model folder: reference model, tables, reference predictions and report."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo import __version__
from edgeemo.errors import ModelFolderError
from edgeemo.model.folder import HISTORY, KERAS, REFERENCE, REJECTED, SPEC, SPLIT, TRAINING
from edgeemo.model.keras import find_reference_model, find_shape_problem, load_reference_model
from edgeemo.model.output_folder import make_timestamp
from edgeemo.model.rounding import measure_rounding
from edgeemo.model.spec import Provenance
from edgeemo.model.tables import (
    ReferencePrediction,
    write_references,
    write_rejected,
    write_samples,
)
from edgeemo.train.data.source import list_paths, record_source
from edgeemo.train.loop.history import write_history
from edgeemo.train.networks.architectures import build
from edgeemo.train.options.record import record_options
from edgeemo.train.report import write_report
from edgeemo.train.report.evaluation import check_probabilities, evaluate, predict_split
from edgeemo.utils.files import sha256_file, write_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.tables import Split
    from edgeemo.train.options.options import TrainOptions
    from edgeemo.train.report import TrainingReport
    from edgeemo.train.report.evaluation import Evaluation
    from edgeemo.train.report.inputs import FolderContents, ModelImport, TrainingRun
    from edgeemo.utils.progress import Progress

_TRIAL_IMAGES = 64
"""Number of training images whose outputs are checked first."""


def complete_folder(
    folder: ModelFolder, contents: FolderContents, *, progress: Progress
) -> TrainingReport:
    """Write everything but the reference model, which is in the folder already.

    Args:
        folder: The unfinished folder.
        contents: Its contents.
        progress: Gets a stage for the predictions and one for the report.

    Returns:
        The report on the model.

    Raises:
        ModelFolderError: If the reference model does not load again, or its outputs do not fit the
            spec.
    """
    write_file(folder.file(SPEC), contents.spec.to_json() + "\n")
    folder.write_json(TRAINING, make_record(contents))
    write_samples(folder.file(SPLIT), contents.dataset.samples)
    write_rejected(folder.file(REJECTED), contents.dataset.rejected)
    if contents.run:
        write_history(folder.file(HISTORY), contents.run.fitted.history)
    outputs = _predict_splits(folder, contents, progress)
    test, validation = (
        evaluate(
            outputs[split], contents.pixels[split], spec=contents.spec, seed=contents.origin.seed
        )
        for split in ("test", "validation")
    )
    _write_references(folder, contents, test)
    progress.stage("Writing the report", total=None)
    return write_report(folder, contents, test=test, validation=validation, progress=progress)


def save_network(model: Any, folder: ModelFolder, options: TrainOptions) -> Provenance:
    """Write the network as the folder's reference model, without the optimizer's state.

    Args:
        model: The trained network; its weights are copied into a new one, since a compiled model
            would be saved with its optimizer, at three times the size.
        folder: The folder.
        options: Give the architecture, and a second name for the file.

    Returns:
        Provenance of the file.
    """
    bare = build(
        options.arch, input_shape=model.input_shape[1:], classes=max(2, model.output_shape[-1])
    )
    bare.set_weights(model.get_weights())
    path = folder.file(KERAS)
    bare.save(path)
    if options.save_keras and options.save_keras != KERAS:
        folder.file(options.save_keras).hardlink_to(path)
    return Provenance(
        edgeemo_version=__version__, source_sha256=sha256_file(path), date=make_timestamp()
    )


def make_record(contents: FolderContents) -> dict[str, Any]:
    """Return the content of ``training.json``."""
    spec, origin = contents.spec, contents.origin
    record = {
        "arch": origin.arch,
        **_record_images(contents),
        "accept": origin.accept,
        "height": spec.height,
        "width": spec.width,
        "channels": spec.channels,
        "labels": spec.labels,
        "seed": origin.seed,
        "versions": contents.versions,
        "ingest": contents.dataset.summary,
    }
    if contents.run:
        record |= _record_run(contents.run)
    if contents.imported:
        record |= _record_import(contents.imported)
    return record


def collect_versions() -> dict[str, str]:
    """Return the versions of the packages that the predictions depend on."""
    packages = ("tensorflow", "keras", "numpy", "pillow")
    return {
        "edgeemo": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def _record_images(contents: FolderContents) -> dict[str, Any]:
    collections = contents.dataset.collections
    if not collections:
        return {"data": list_paths(contents.data)[0]}
    given = record_source(contents.data)
    return {
        "collections": [
            {"name": each.name, **source} for each, source in zip(collections, given, strict=True)
        ]
    }


def _record_run(run: TrainingRun) -> dict[str, Any]:
    soft_labels = run.soft_labels
    return {
        **record_options(run.options),
        "teacher_sha256": run.teacher_sha256,
        **({"soft_labels_sha256": soft_labels.table.sha256} if soft_labels else {}),
        "epochs_run": len(run.fitted.history),
        "best_epoch": run.fitted.best_epoch,
        "interrupted": run.fitted.interrupted,
        "stopped_early": run.fitted.stopped_early,
        "validates_on_test": run.options.validates_on_test,
        "calibration": run.calibration,
    }


def _record_import(imported: ModelImport) -> dict[str, Any]:
    head = {} if imported.head == "probability" else {"head": imported.head}
    doubt = {"doubt": imported.doubt.to_record()} if imported.doubt else {}
    return {**imported.scaling.to_record(), **head, "source": imported.source, **doubt}


def _predict_splits(
    folder: ModelFolder, contents: FolderContents, progress: Progress
) -> dict[str, NDArray[Any]]:
    """Return the outputs of the reference model as it was written, not of the one in memory."""
    model = load_reference_model(folder)
    problem = find_shape_problem(model, contents.spec)
    if problem:
        raise ModelFolderError(f"{find_reference_model(folder).name}: {problem}")
    trial = contents.pixels["train"].head(_TRIAL_IMAGES)
    if contents.imported:
        _record_rounding(folder, model, trial.rows * np.float32(contents.spec.scale))
    outputs = {"trial": predict_split(model, trial, spec=contents.spec)}
    splits: tuple[Split, ...] = ("test", "validation")
    count = sum(len(contents.pixels[split]) for split in splits)
    progress.stage("Predicting the test images", total=count)
    for split in splits:
        outputs[split] = predict_split(
            model, contents.pixels[split], spec=contents.spec, progress=progress
        )
    for each in outputs.values():
        check_probabilities(each, contents.spec)
    return outputs


def _record_rounding(folder: ModelFolder, model: Any, images: NDArray[np.float32]) -> None:
    """Add the rounding error of a foreign model to ``training.json``, for the gates."""
    rounding = measure_rounding(model, images)
    folder.write_json(TRAINING, {**folder.read_json(TRAINING), "rounding": rounding})


def _write_references(folder: ModelFolder, contents: FolderContents, test: Evaluation) -> None:
    references = (
        ReferencePrediction(
            sha256=sample.sha256, path=sample.path, label=sample.label, scores=tuple(scores)
        )
        for sample, scores in zip(contents.test_samples, test.scores.tolist(), strict=True)
    )
    write_references(folder.file(REFERENCE), references, labels=contents.spec.labels)
