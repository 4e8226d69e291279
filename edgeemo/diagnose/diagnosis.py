"""A diagnosis from beginning to end: files, images, figures, causes."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.diagnose.attribution import attribute
from edgeemo.diagnose.causes import list_findings
from edgeemo.diagnose.evidence import choose_narrow
from edgeemo.diagnose.files import find_files
from edgeemo.diagnose.images import read_images
from edgeemo.diagnose.measure import measure_activations
from edgeemo.diagnose.page import check_page, write_page
from edgeemo.diagnose.report import Diagnosis
from edgeemo.diagnose.summary import Scores, collect_evidence, describe_layer, list_worst
from edgeemo.engines.load import load_engine
from edgeemo.model.keras import REFERENCE_MODELS
from edgeemo.utils.progress import Silent
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.diagnose.files import DiagnosisFiles
    from edgeemo.diagnose.images import DiagnosisImages, ImageSet
    from edgeemo.model.container import Format, SealedModel
    from edgeemo.model.folder import ModelFolder
    from edgeemo.model.spec import ModelSpec
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

WORST = 12
"""Number of images with the largest differences in a diagnosis."""

_MOST_MEASURED = 64
"""Largest number of images that ranges are measured on."""

_REPLAYED = 0.5
"""Part of the whole difference from which a replay is too far off."""


def diagnose(
    model: StrPath,
    *,
    file: StrPath | None = None,
    format: Format | None = None,
    data: StrPath | None = None,
    images: int = 200,
    html: StrPath | None = None,
    progress: Progress | None = None,
) -> Diagnosis:
    """Find out where an int8 file departs from the float32 file of the same model, and why.

    Args:
        model: A model folder with exported files, the name of a shipped model, or an int8 file in a
            model folder.
        file: The int8 file; by default that of the folder.
        format: Its format; by default TFLite, where the folder has it.
        data: Folder or .zip of images; by default that of the training.
        images: Largest number of test images, and of training images.
        html: Page to write, with a plot along the network and the worst images.
        progress: Receiver of the progress.

    Raises:
        DatasetError: If there are no images.
        EngineError: If a file is damaged, is no int8 file, or is of another model.
        MissingExtraError: If a package is not installed.
        ModelFolderError: If a file is missing.
        OSError: If the page cannot be written.
        SpecError: If a spec is malformed.
    """
    start, progress = time.monotonic(), progress or Silent()
    if html is not None:
        check_page(Path(html))
    files = find_files(Path(model), file=None if file is None else Path(file), format=format)
    found = read_images(
        files.folder,
        files.int8.spec,
        data=None if data is None else Path(data),
        count=images,
        progress=progress,
    )
    diagnosis, rows = _diagnose(str(model), files, found, progress)
    diagnosis = replace(diagnosis, seconds=time.monotonic() - start)
    if html is not None:
        write_page(Path(html), diagnosis, found.test.pixels[rows])
    return diagnosis


def _diagnose(
    model: str, files: DiagnosisFiles, images: DiagnosisImages, progress: Progress
) -> tuple[Diagnosis, list[int]]:
    """Return the diagnosis, and the rows of the test images that it shows."""
    spec = files.int8.spec
    int8, float32 = (_predict(each, images.test, progress) for each in (files.int8, files.float32))
    test, training = (_scale(each, spec) for each in (images.test, images.training or images.test))
    graph = files.build_graph(test[0])
    measured = training[:_MOST_MEASURED]
    progress.stage("Measuring the layers", total=len(measured))
    figures = measure_activations(graph, measured, progress=progress)
    attribution = attribute(
        graph, test, narrow=choose_narrow(figures), spec=spec, progress=progress
    )
    scores = Scores(int8, float32, attribution.scores, spec)
    layers = collect_evidence(graph, figures, attribution.layers)
    findings = list_findings(
        layers,
        model=model,
        data=_list_data(files.folder),
        kept=graph.kept,
        max_difference=float(scores.difference.max()),
        narrow_gain=attribution.narrow_gain,
    )
    causes = {name: each.cause for each in findings for name in each.layers}
    worst, rows = list_worst(images.test, scores, WORST)
    diagnosis = Diagnosis(
        model=model,
        file=files.int8.path,
        sha256=files.int8.sha256,
        reference=files.float32.path,
        n=len(images.test),
        training_n=len(measured) if images.training else 0,
        flips=int((scores.int8_labels != scores.float_labels).sum()),
        max_difference=float(scores.difference.max()),
        mean_difference=float(scores.difference.mean()),
        replay_difference=float(scores.replay_difference.max()),
        replay_flips=int((scores.int8_labels != scores.replay_labels).sum()),
        layers=tuple(describe_layer(each, causes.get(each.name)) for each in layers),
        findings=findings,
        worst=worst,
        notes=(*images.notes, *_list_notes(files, scores, graph.kept)),
    )
    return diagnosis, rows


def _predict(model: SealedModel, images: ImageSet, progress: Progress) -> NDArray[np.float64]:
    """Return the (N, K) probabilities of a file in the engine that ships."""
    with drop_output():
        engine = load_engine(model)
    progress.stage(f"Predicting with {Path(model.path).name}", total=len(images))
    scores = []
    for pixels in images.pixels:
        scores.append(model.spec.scores(engine.run(pixels)))
        progress.advance()
    return np.asarray(scores, np.float64)


def _scale(images: ImageSet, spec: ModelSpec) -> list[NDArray[np.float32]]:
    scale = np.float32(spec.scale)
    return [pixels * scale for pixels in images.pixels]


def _list_data(folder: ModelFolder) -> list[str]:
    """Return the folders of a model's images, as --data names them."""
    data = folder.read_training().data
    if data is None:
        return []
    return [str(each) for each in ([data] if isinstance(data, Path) else data.folders.values())]


def _list_notes(files: DiagnosisFiles, scores: Scores, kept: Sequence[str]) -> list[str]:
    found = []
    if scores.replay_difference.mean() > _REPLAYED * scores.difference.mean():
        found.append(
            "the roundings of the file do not account for its predictions: the shares of the "
            "layers are rough"
        )
        if files.int8.format == "onnx" and kept:
            found.append(
                "ONNX Runtime rounds the weights of a layer in float between two in int8 when it "
                "loads the file: keep a neighbour in float, too, or take int8.tflite"
            )
    if not any(files.folder.file(name).exists() for name in REFERENCE_MODELS):
        found.append(
            f"{files.folder.path} has no reference model, which the commands above need: give "
            "them the folder that it was trained in"
        )
    return found
