"""Adopt a model file: examine it, write a model folder, and measure it on images."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo import __version__
from edgeemo.adopt.examination import examine
from edgeemo.adopt.options import AdoptOptions
from edgeemo.errors import AdoptError, ModelFolderError
from edgeemo.evaluate import ClassChoice
from edgeemo.model.container import is_sealed, seal, unseal
from edgeemo.model.file_kind import describe_foreign, recognise
from edgeemo.model.folder import ADOPTED_JSON, DEFAULT, SPEC
from edgeemo.model.output_folder import build_folder, check_output_folder
from edgeemo.runtime.classifier import Classifier
from edgeemo.utils.files import write_file
from edgeemo.utils.progress import Silent

if TYPE_CHECKING:
    from edgeemo.adopt.examination import Examined
    from edgeemo.evaluate.report import Evaluation
    from edgeemo.model.container import Format
    from edgeemo.model.doubt import Doubt
    from edgeemo.model.spec import ModelSpec
    from edgeemo.utils.paths import StrPath
    from edgeemo.utils.progress import Progress

_SPEC_MARK, _TAIL = b'"model_bytes": ', 1 << 20
"""Text at the begin of an embedded spec, and the largest distance of it from the end of a file."""
_SILENT = Silent()
_DEFAULT = AdoptOptions()


@dataclass(frozen=True, kw_only=True)
class AdoptedModel:
    """A model folder of an adopted file.

    Attributes:
        folder: The folder.
        file: Name of the file in it.
        spec: Its spec.
        labels_from: Origin of the labels, in words.
        scaling_from: Origin of the scaling, in words.
        evaluation: Its quality on labelled images; None where none were given.
        doubt: Doubt about labels or scaling, where others fit them far better; else None.
        notes: What else there is to know, in sentences.
    """

    folder: Path
    file: str
    spec: ModelSpec
    labels_from: str
    scaling_from: str
    evaluation: Evaluation | None = None
    doubt: Doubt | None = None
    notes: tuple[str, ...] = ()


def adopt(
    model: StrPath,
    out: StrPath,
    *,
    options: AdoptOptions = _DEFAULT,
    data: StrPath | None = None,
    choice: ClassChoice | None = None,
    replace: bool = False,
    progress: Progress = _SILENT,
) -> AdoptedModel:
    """Make a model folder of a finished ``.tflite`` or ``.onnx`` file.

    The model keeps its bytes; spec and checksum follow them. There is no reference model to verify
    it against.

    Args:
        model: The file: one image in, one probability or logit per label out.
        out: The model folder to make; its parents are made too.
        options: What the file may not tell. They override what it tells.
        data: Labelled images to measure it on, as of `edgeemo.evaluate.evaluate`; None measures
            nothing.
        choice: The images to take of them, and the label that each class folder is.
        replace: Whether to replace an existing model folder.
        progress: Receives the stages.

    Raises:
        AdoptError: If the file is not such a model, or is an exported file of edgeemo.
        DatasetError: If the images cannot be used.
        EngineError: As `edgeemo.adopt.examination.examine`.
        MissingExtraError: If the engine is not installed.
        MissingOptionError: If the options do not give what the file does not tell.
        ModelFolderError: If `out` exists or cannot be written.
        SpecError: If labels or threshold are invalid.
    """
    path, out = Path(model), Path(out)
    format = _find_format(path)
    check_output_folder(out, data=[Path(data)] if data else [], replace=replace)
    progress.stage("Examining the model")
    found = examine(path, format, options=options)
    name = f"{found.kind}.{format}"
    with build_folder(out, replace=replace) as folder:
        content = seal(found.model, found.spec, format=format, members=found.members)
        write_file(folder.file(name), content)
        unseal(folder.file(name))  # as every command reads it
        evaluation, doubt = (
            _evaluate(
                folder.file(name),
                data,
                choice=choice or ClassChoice(),
                tries_scalings=found.takes_floats,
                progress=progress,
            )
            if data
            else (None, None)
        )
        if evaluation:
            evaluation = changed(evaluation, model=str(out / name))
        folder.write_json(ADOPTED_JSON, _make_record(path, found, evaluation, doubt))
        folder.write_json(DEFAULT, {"file": name, "threads": 1})
        write_file(folder.file(SPEC), found.spec.to_json() + "\n")
    return AdoptedModel(
        folder=out,
        file=name,
        spec=found.spec,
        labels_from=found.labels_from,
        scaling_from=found.scaling_from,
        evaluation=evaluation,
        doubt=doubt,
        notes=found.notes,
    )


def _find_format(path: Path) -> Format:
    """Return the format of a file, by its content.

    Raises:
        AdoptError: If it is no such model, or one of edgeemo.
        ModelFolderError: If there is no such file.
    """
    if not path.exists():
        raise ModelFolderError(f"{path}: no such file")
    kind = recognise(path)
    if kind is None and path.suffix.lower() == ".onnx" and path.is_file():
        kind = "onnx"  # the engine says what is wrong with it
    if kind not in ("tflite", "onnx"):
        foreign = describe_foreign(path)
        raise AdoptError(f"{path}: {foreign or 'neither a TFLite nor an ONNX model'}")
    _refuse_sealed(path, kind)
    return kind


def _refuse_sealed(path: Path, format: Format) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AdoptError(f"{path}: cannot be read: {error.strerror or error}") from None
    if _SPEC_MARK in content[-_TAIL:] and not is_sealed(content):
        raise AdoptError(f"{path}: exported by edgeemo, and cut short: copy it again")
    if is_sealed(content):
        if path.suffix.lower() == f".{format}":
            unseal(path)  # says so if it is damaged or old
        raise AdoptError(
            f"{path}: exported by edgeemo already, with spec and checksum: run 'edgeemo info "
            f"{path}'"
        )


def _evaluate(
    file: Path,
    data: StrPath,
    *,
    choice: ClassChoice,
    tries_scalings: bool,
    progress: Progress,
) -> tuple[Evaluation, Doubt | None]:
    """Measure a file; return the doubt about labels or scaling, too."""
    from edgeemo.adopt.doubt import find_doubt
    from edgeemo.evaluate import EvaluationOptions, evaluate

    model = unseal(file)
    classifier, options = Classifier.from_model(model, faces=None), EvaluationOptions(choice=choice)
    evaluation = evaluate(classifier, data, options=options, progress=progress)
    doubt = find_doubt(model, data, choice=choice, tries_scalings=tries_scalings, progress=progress)
    return evaluation, doubt


def _make_record(
    path: Path, found: Examined, evaluation: Evaluation | None, doubt: Doubt | None
) -> dict[str, Any]:
    """Return the content of ``adopted.json``."""
    record: dict[str, Any] = {
        "edgeemo_version": __version__,
        "source": path.name,
        "source_sha256": found.spec.provenance.source_sha256,
        "labels_from": found.labels_from,
        "scaling_from": found.scaling_from,
    }
    if evaluation:
        record |= {
            "data": evaluation.data,
            "split": evaluation.split,
            "accuracy": evaluation.overall.accuracy,
        }
    if doubt:
        record["doubt"] = doubt.to_record()
    return record
