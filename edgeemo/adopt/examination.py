"""The examination of a model file of somebody else, in a process of its own."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from edgeemo import __version__
from edgeemo.adopt.facts import (
    Head,
    choose_head,
    choose_labels,
    choose_scaling,
    count_outputs,
    read_image_input,
)
from edgeemo.adopt.metadata import FileMetadata, read_onnx_properties, read_tflite_metadata
from edgeemo.engines.flatbuffer import find_fault
from edgeemo.engines.inspection import inspect_model
from edgeemo.engines.load import load_engine
from edgeemo.engines.trial import TIMEOUT_S, limit_memory
from edgeemo.errors import (
    AdoptError,
    EdgeEmoError,
    EngineError,
    MissingOptionError,
    SpecError,
    describe_crash,
)
from edgeemo.model.adoption import Adoption
from edgeemo.model.container import SealedModel
from edgeemo.model.output_folder import make_timestamp
from edgeemo.model.spec import ModelSpec, Provenance
from edgeemo.model.trailer import split_zip
from edgeemo.utils.child import ChildCrashedError, run_in_child
from edgeemo.utils.progress import Silent
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeemo.adopt.options import AdoptOptions
    from edgeemo.engines.inspection import ModelFacts
    from edgeemo.model.container import Format, Kind
    from edgeemo.utils.progress import Progress

_TRIAL_IMAGES = 8
_ROUNDING = 1e-3
"""Difference from 1 of a softmax's sum in float32; of an int8 one, half a step per output."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A model file that can be adopted.

    Attributes:
        model: The model, without an archive behind it.
        members: The files of the archive.
        format: Its format.
        kind: Its arithmetic.
        spec: Its spec.
        labels_from: Origin of the labels, in words.
        scaling_from: Origin of the scaling, in words.
        takes_floats: Whether its input is not quantised.
        notes: What else there is to know, in sentences.
    """

    model: bytes
    members: Mapping[str, bytes]
    format: Format
    kind: Kind
    spec: ModelSpec
    labels_from: str
    scaling_from: str
    takes_floats: bool
    notes: tuple[str, ...] = ()


def examine(path: Path, format: Format, *, options: AdoptOptions) -> Examined:
    """Examine a model file in a process of its own, which it may crash, hang or fill.

    Args:
        path: The file.
        format: Its format.
        options: What it may not tell.

    Raises:
        AdoptError: If it is not one image in, one probability or logit per label out.
        EngineError: If it is damaged, has operators that its engine does not have, or the engine
            refuses it, crashes or hangs.
        MissingExtraError: If its engine is not installed.
        MissingOptionError: If the options do not give what it does not tell.
        SpecError: If labels or threshold are invalid.
    """
    content = _read(path)
    if format == "tflite" and (fault := find_fault(content)):
        raise EngineError(f"{path}: its TFLite model is faulty: {fault}")
    try:
        found: Examined = run_in_child(
            _examine, str(path), content, format, options=options, progress=Silent()
        )
    except ChildCrashedError as error:
        how = error.ended_by
        slow = f"its first predictions take more than {TIMEOUT_S} seconds"
        raise EngineError(f"{path}: {slow if how == 'SIGALRM' else describe_crash(how)}") from None
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AdoptError(f"{path}: cannot be read: {error.strerror or error}") from None


def _examine(
    path: str, content: bytes, format: Format, *, options: AdoptOptions, progress: Progress
) -> Examined:
    """Examine a file; whatever an engine or a reader raises becomes an error of one line."""
    del progress  # which takes too little time to be shown
    _limit_process()
    try:
        return _examine_content(path, content, format, options=options)
    except EdgeEmoError:
        raise
    except MemoryError:
        raise EngineError(f"{path}: there is not enough memory to run it") from None
    except Exception as error:
        raise EngineError(f"{path}: cannot be read: {one_line(error)}") from None


def _examine_content(
    path: str, content: bytes, format: Format, *, options: AdoptOptions
) -> Examined:
    model, members = split_zip(content) if format == "tflite" else (content, {})
    facts = inspect_model(content, path=path, format=format)
    metadata = (
        read_tflite_metadata(model, members)
        if format == "tflite"
        else read_onnx_properties(facts.properties)
    )
    if metadata.task not in ("", "classify"):
        raise AdoptError(f"{path}: made for {metadata.task!r}, by its metadata; not a classifier")
    found = _describe(path, facts, metadata, options=options)
    sealed = SealedModel(
        path=path, format=format, spec=found.spec, sha256="", size_bytes=len(model), content=model
    )
    spec, notes = _try_images(sealed, found.head)
    digest = sha256(content).hexdigest()
    provenance = Provenance(
        edgeemo_version=__version__, source_sha256=digest, date=make_timestamp()
    )
    return Examined(
        model=model,
        members=members,
        format=format,
        kind=facts.kind,
        spec=replace(spec, provenance=provenance),
        labels_from=found.labels_from,
        scaling_from=found.scaling_from,
        takes_floats=facts.inputs[0].dtype == "float32",
        notes=notes,
    )


def _limit_process() -> None:
    """Limit time and memory of this process, which is the model's own."""
    if hasattr(signal, "SIGALRM"):  # not on Windows
        signal.alarm(TIMEOUT_S)
    limit_memory()


@dataclass(frozen=True)
class _Described:
    spec: ModelSpec
    head: Head | None
    labels_from: str
    scaling_from: str


def _describe(
    path: str, facts: ModelFacts, metadata: FileMetadata, *, options: AdoptOptions
) -> _Described:
    """Return the spec of a model, with its outputs taken for probabilities where unknown."""
    image, outputs = read_image_input(facts, path, options.layout), count_outputs(facts, path)
    missing: list[str] = []
    with _collect(missing, path):
        labels, labels_from = choose_labels(options, metadata, outputs=outputs, path=path)
    with _collect(missing, path):
        scaling = choose_scaling(options, metadata, facts.inputs[0], path=path)
    with _collect(missing, path):
        head = choose_head(options, facts, outputs=outputs, path=path)
    if missing:
        raise MissingOptionError(f"{path}: {'; it '.join(missing)}")
    many = max(len(scaling.scale), len(scaling.offset))
    if many not in (1, image.channels) or (options.bgr and image.channels == 1):
        option = "--bgr needs" if options.bgr else f"{scaling.origin}: {many} numbers are for"
        raise AdoptError(f"{path}: takes grey images; {option} 3 channels")
    adopted = Adoption(
        scale=_spread(scaling.scale, image.channels),
        offset=_spread(scaling.offset, image.channels),
        bgr=options.bgr,
        layout=image.layout,
        logits=head is not None and head.logits,
    )
    try:
        spec = ModelSpec(
            labels=labels,
            height=image.height,
            width=image.width,
            channels=image.channels,
            activation=head.activation if head else "softmax",
            threshold=options.threshold,
            background=options.background,
            adopted=adopted,
        )
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None
    return _Described(spec, head, labels_from, scaling.origin)


@contextmanager
def _collect(missing: list[str], path: str) -> Iterator[None]:
    """Keep what an error says that the file does not tell, so that all is said at once."""
    try:
        yield
    except MissingOptionError as error:
        missing.append(str(error).removeprefix(f"{path}: "))


def _spread(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    return values * channels if len(values) == 1 else values


def _try_images(model: SealedModel, head: Head | None) -> tuple[ModelSpec, tuple[str, ...]]:
    """Predict drawn images; return the spec, and notes.

    Raises:
        AdoptError: If an output is no probability.
        MissingOptionError: If outputs may be logits.
    """
    engine = load_engine(model)
    outputs = np.asarray([engine.run(pixels) for pixels in _draw_images(model.spec)])
    if not np.isfinite(outputs).all():
        raise AdoptError(f"{model.path}: gives NaN or infinity; is --scale right?")
    low, high, total = outputs.min(), outputs.max(), outputs.sum(axis=1)
    step = 1 / 256
    off = max(_ROUNDING, step * outputs.shape[1] / 2)
    is_probability = low >= -off and high <= 1 + off
    adds_up = outputs.shape[1] == 1 or bool((abs(total - 1) <= off).all())
    if not (is_probability and adds_up):
        found = f"{low:.3g} to {high:.3g}" + ("" if adds_up else f", adding up to {total[0]:.3g}")
        if head is None:
            raise MissingOptionError(
                f"{model.path}: its outputs are no probabilities ({found}): add --activation logit "
                "if a softmax has to follow"
            )
        raise AdoptError(f"{model.path}: its outputs are no probabilities ({found})")
    same = bool((np.ptp(outputs, axis=0) <= 1e-6).all())
    text = "it predicts the same for every trial image: is the scaling right?"
    return model.spec, (text,) if same else ()


def _draw_images(spec: ModelSpec) -> list[NDArray[np.uint8]]:
    """Return black, white, and images of coarse and fine noise."""
    rng, (height, width, channels) = np.random.default_rng(0), spec.input_shape
    images = [np.full(spec.input_shape, value, np.uint8) for value in (0, 255)]
    for number in range(_TRIAL_IMAGES - len(images)):
        cell = 1 << number
        shape = (-(-height // cell), -(-width // cell), channels)
        noise = rng.integers(0, 256, shape, np.uint8)
        spread = noise.repeat(cell, axis=0).repeat(cell, axis=1)
        images.append(np.ascontiguousarray(spread[:height, :width]))
    return images
