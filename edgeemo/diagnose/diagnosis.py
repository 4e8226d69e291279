"""A diagnosis from beginning to end: files, images, figures, causes."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgeemo.diagnose.attribution import attribute, decide_labels
from edgeemo.diagnose.causes import list_findings
from edgeemo.diagnose.evidence import LayerEvidence, choose_narrow
from edgeemo.diagnose.files import find_files
from edgeemo.diagnose.images import ImageSet, read_images
from edgeemo.diagnose.measure import measure_activations
from edgeemo.diagnose.page import check_page, write_page
from edgeemo.diagnose.report import Diagnosis, LayerDiagnosis, WorstImage
from edgeemo.engines.load import load_engine
from edgeemo.model.keras import REFERENCE_MODELS
from edgeemo.utils.progress import Silent
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edgeemo.diagnose.attribution import Attribution
    from edgeemo.diagnose.files import DiagnosisFiles
    from edgeemo.diagnose.graph import Graph
    from edgeemo.diagnose.measure import ActivationFigures
    from edgeemo.diagnose.report import Cause
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
    spec = files.int8.spec
    found = read_images(
        files.folder,
        spec,
        data=None if data is None else Path(data),
        count=images,
        progress=progress,
    )
    scores = [_predict(each, found.test, progress) for each in (files.int8, files.float32)]
    test, training = (_scale(each, spec) for each in (found.test, found.training or found.test))
    graph = files.build_graph(test[0])
    measured = training[: min(_MOST_MEASURED, len(training))]
    progress.stage("Measuring the layers", total=len(measured))
    figures = measure_activations(graph, measured, progress=progress)
    attribution = attribute(
        graph, test, narrow=choose_narrow(figures), spec=spec, progress=progress
    )
    difference = np.abs(scores[0] - scores[1])
    evidence = _collect(graph, figures, attribution)
    findings = list_findings(
        evidence,
        model=str(model),
        data=_list_data(files.folder),
        kept=graph.kept,
        max_difference=float(difference.max()),
        narrow_gain=attribution.narrow_gain,
    )
    causes = {name: each.cause for each in findings for name in each.layers}
    worst, rows = _list_worst(found.test, scores[0], scores[1], spec)
    replay = np.abs(attribution.scores - scores[0])
    labels = [decide_labels(each, spec) for each in (*scores, attribution.scores)]
    diagnosis = Diagnosis(
        model=str(model),
        file=files.int8.path,
        sha256=files.int8.sha256,
        reference=files.float32.path,
        n=len(found.test),
        training_n=len(measured) if found.training else 0,
        flips=int((labels[0] != labels[1]).sum()),
        max_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
        replay_difference=float(replay.max()),
        replay_flips=int((labels[0] != labels[2]).sum()),
        layers=tuple(_describe_layer(each, causes) for each in evidence),
        findings=findings,
        worst=worst,
        notes=(*found.notes, *_list_notes(files, graph.kept, replay, difference)),
        seconds=time.monotonic() - start,
    )
    if html is not None:
        write_page(Path(html), diagnosis, found.test.pixels[rows])
    return diagnosis


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


def _collect(
    graph: Graph, figures: Sequence[ActivationFigures], attribution: Attribution
) -> list[LayerEvidence]:
    activations = defaultdict(list)
    for each in figures:
        activations[each.layer].append(each)
    weights = defaultdict(list)
    for one in graph.weights:
        weights[one.layer].append(one)
    return [
        LayerEvidence(
            effect=effect,
            activations=activations[effect.layer],
            weights=weights[effect.layer],
            is_hard_swish=effect.layer in graph.hard_swish,
            is_last=effect.layer == graph.last,
            readers=graph.readers.get(effect.layer, ()),
        )
        for effect in attribution.layers
    ]


def _describe_layer(evidence: LayerEvidence, causes: Mapping[str, Cause]) -> LayerDiagnosis:
    effect, figures = evidence.effect, evidence.activations
    last = figures[-1] if figures else None
    outlier = max(figures, default=None, key=lambda each: each.outlier)
    return LayerDiagnosis(
        layer=evidence.name,
        low=last.low if last else None,
        high=last.high if last else None,
        grid_low=last.grid_low if last else None,
        grid_high=last.grid_high if last else None,
        clipped=max((each.clipped for each in figures), default=0.0),
        own_sqnr_db=_find_smallest([each.own_sqnr_db for each in figures]),
        sqnr_db=_find_smallest([last.sqnr_db] if last else []),
        weights_sqnr_db=_find_smallest(
            [each.sqnr_db for each in evidence.weights if each.sqnr_db is not None]
        ),
        outlier=outlier.outlier if outlier else 1.0,
        channel=outlier.channel if outlier else 0,
        alone=effect.alone,
        saved=effect.saved,
        weights_alone=effect.weights_alone,
        flips_alone=effect.flips_alone,
        flips_without=effect.flips_without,
        cause=causes.get(evidence.name),
    )


def _find_smallest(values: Sequence[float]) -> float | None:
    """Return the smallest finite number; None without one."""
    return min((each for each in values if math.isfinite(each)), default=None)


def _list_data(folder: ModelFolder) -> list[str]:
    """Return the folders of a model's images, as --data names them."""
    data = folder.read_training().data
    if data is None:
        return []
    return [str(each) for each in ([data] if isinstance(data, Path) else data.folders.values())]


def _list_worst(
    images: ImageSet, int8: NDArray[np.float64], exact: NDArray[np.float64], spec: ModelSpec
) -> tuple[tuple[WorstImage, ...], list[int]]:
    """Return the images with the largest differences, flips first, and their rows."""
    differences = np.abs(int8 - exact).max(axis=1)
    ours, theirs = decide_labels(int8, spec), decide_labels(exact, spec)
    rows = np.lexsort((-differences, ours == theirs))[:WORST].tolist()
    return (
        tuple(
            WorstImage(
                path=images.names[row],
                label=images.labels[row],
                float_label=spec.labels[theirs[row]],
                float_score=float(exact[row, theirs[row]]),
                int8_label=spec.labels[ours[row]],
                int8_score=float(int8[row, ours[row]]),
                difference=float(differences[row]),
            )
            for row in rows
        ),
        rows,
    )


def _list_notes(
    files: DiagnosisFiles,
    kept: Sequence[str],
    replay: NDArray[np.float64],
    difference: NDArray[np.float64],
) -> list[str]:
    found = []
    if replay.mean() > _REPLAYED * difference.mean():
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
