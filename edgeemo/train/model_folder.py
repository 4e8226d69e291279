"""Complete a model folder around an original: tables, the original's answers, report and plots."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from edgeemo import __version__
from edgeemo.errors import ModelFolderError
from edgeemo.model.folder import HISTORY, REFERENCE, REJECTED, SPEC, SPLIT, TRAINING
from edgeemo.model.keras import find_reference_model, find_shape_problem, load_reference_model
from edgeemo.model.tables import Reference, write_references, write_rejected, write_samples
from edgeemo.train.loop.history import write_history
from edgeemo.train.report import write_report
from edgeemo.train.report.evaluation import check_probabilities, evaluate, raw_answers
from edgeemo.utils.files import write_file
from edgeemo.utils.serialize import to_plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.dataset import Dataset
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.model.tables import Split
    from edgeemo.train.report.evaluation import Evaluation
    from edgeemo.train.report.inputs import FolderContents
    from edgeemo.utils.progress import Progress

IMPORTED = "imported"
"""The ``arch`` of a model that was not trained here."""

_TRIED = 64
"""Training images on which the outputs are looked at first."""


def complete_folder(folder: ModelFolder, contents: FolderContents, *, progress: Progress) -> None:
    """Write everything but the original, which lies in the folder already.

    Args:
        folder: The folder in the making.
        contents: What to write.
        progress: Gets a stage for the answers and one for the report.

    Raises:
        ModelFolderError: If the original does not load again, or does not answer as the spec says.
    """
    write_file(folder.file(SPEC), contents.spec.to_json() + "\n")
    folder.write_json(TRAINING, dict(contents.training))
    write_samples(folder.file(SPLIT), contents.dataset.samples)
    write_rejected(folder.file(REJECTED), contents.dataset.rejected)
    if contents.fitted is not None:
        write_history(folder.file(HISTORY), contents.fitted.history)
    outputs = _predict_splits(folder, contents, progress)
    seed = contents.training["seed"]
    test, validation = (
        evaluate(outputs[split], contents.pixels[split], spec=contents.spec, seed=seed)
        for split in ("test", "validation")
    )
    _write_references(folder, contents, test)
    progress.stage("Writing the report", total=None)
    write_report(folder, contents, test, validation)


def make_record(
    dataset: Dataset, spec: ModelSpec, *, data: Path, accept: Sequence[str], seed: int
) -> dict[str, Any]:
    """What ``training.json`` says of every model, trained here or elsewhere.

    Args:
        dataset: What the ingest gave.
        spec: The model's.
        data: Where the images lie, as the user said.
        accept: Formats that were taken beyond the usual.
        seed: Of the split.
    """
    return {
        "data": str(data),
        "accept": list(accept),
        "height": spec.height,
        "width": spec.width,
        "channels": spec.channels,
        "labels": list(spec.labels),
        "seed": seed,
        "versions": collect_versions(),
        "ingest": to_plain(dataset.summary),
    }


def collect_versions() -> dict[str, str]:
    """Versions of what the answer depends on."""
    packages = ("tensorflow", "keras", "numpy", "pillow")
    return {
        "edgeemo": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def _predict_splits(
    folder: ModelFolder, contents: FolderContents, progress: Progress
) -> dict[str, NDArray[Any]]:
    """The answers of the original as it was written, not of the one still in memory."""
    model = load_reference_model(folder)
    problem = find_shape_problem(model, contents.spec)
    if problem:
        raise ModelFolderError(f"{find_reference_model(folder).name}: {problem}")
    raw = {"tried": raw_answers(model, contents.pixels["train"].head(_TRIED), spec=contents.spec)}
    wanted: tuple[Split, ...] = ("test", "validation")
    count = sum(len(contents.pixels[split]) for split in wanted)
    progress.stage("Answering the test images", total=count)
    for split in wanted:
        raw[split] = raw_answers(
            model, contents.pixels[split], spec=contents.spec, progress=progress
        )
    for outputs in raw.values():
        check_probabilities(outputs, contents.spec)
    return raw


def _write_references(folder: ModelFolder, contents: FolderContents, test: Evaluation) -> None:
    samples = [sample for sample in contents.dataset.samples if sample.split == "test"]
    references = (
        Reference(sha256=sample.sha256, path=sample.path, label=sample.label, scores=tuple(scores))
        for sample, scores in zip(samples, test.scores.tolist(), strict=True)
    )
    write_references(folder.file(REFERENCE), references, labels=contents.spec.labels)
