"""The files of a diagnosis: the int8 file, and the float32 files of the same model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeemo.diagnose.layer_names import read_layer_names
from edgeemo.engines.trial import try_model
from edgeemo.errors import EngineError, ModelFolderError
from edgeemo.model.container import unseal
from edgeemo.model.folder import EXPORTED, ModelFolder, is_shipped_name, open_folder, shipped_folder
from edgeemo.model.spec import Provenance
from edgeemo.utils.extras import require_packages

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeemo.diagnose.graph import Graph
    from edgeemo.model.container import Format, SealedModel

FORMATS: tuple[Format, ...] = ("tflite", "onnx")


@dataclass(frozen=True)
class DiagnosisFiles:
    """The files of a diagnosis.

    Attributes:
        folder: The model folder with the float32 files.
        int8: The int8 file.
        float32: The float32 file of the same format.
    """

    folder: ModelFolder
    int8: SealedModel
    float32: SealedModel

    def build_graph(self, image: NDArray[np.float32]) -> Graph:
        """Build the network of the int8 file.

        Args:
            image: An image, (H, W, C) in [0, 1].

        Raises:
            EngineError: If the two files are not of one network, or the int8 file is none.
            ModelFolderError: If the float32 TFLite file, which names the layers, is missing.
        """
        graph = self._build_graph(image)
        if not graph.activations:
            raise EngineError(f"{self.int8.path}: not an int8 file: it rounds no activation")
        return graph

    def _build_graph(self, image: NDArray[np.float32]) -> Graph:
        names = read_layer_names(self.folder)
        int8, float32 = (Path(each.path).read_bytes() for each in (self.int8, self.float32))
        if self.int8.format == "tflite":
            from edgeemo.diagnose.tflite_graph import TFLiteGraph

            return TFLiteGraph(int8, float32, names)
        from edgeemo.diagnose.onnx_graph import OnnxGraph

        remedy = "it names the layers; " + _export(self.folder, "")
        tflite = self.folder.require("float32.tflite", remedy=remedy).read_bytes()
        return OnnxGraph(int8, float32=float32, tflite=tflite, names=names, image=image)


def find_files(
    model: Path, *, file: Path | None = None, format: Format | None = None
) -> DiagnosisFiles:
    """Find and check the files.

    Args:
        model: The model folder, the name of a shipped model, or an int8 file in a model folder.
        file: The int8 file; by default that of the folder.
        format: Its format; by default TFLite, where the folder has it.

    Raises:
        EngineError: If a file is damaged, is no int8 file, or is of another model.
        MissingExtraError: If a package is not installed that the format needs.
        ModelFolderError: If a file is missing, or the folder is of an adopted file.
        SpecError: If a file's spec is malformed.
    """
    if model.is_file():
        model, file = model.parent, model if file is None else file
    folder = shipped_folder(str(model)) if is_shipped_name(model) else open_folder(model)
    folder.refuse_adopted()
    path = file or _find_int8(folder, format)
    int8 = unseal(path)
    if format is not None and int8.format != format:
        raise EngineError(f"{path}: not the format {format}")
    if int8.format == "onnx":
        require_packages(("onnx", "onnxruntime"), purpose="diagnosing .onnx files", extra="train")
    name = f"float32.{int8.format}"
    float32 = unseal(folder.require(name, remedy=_export(folder, "")))
    _require_same(int8, float32)
    for each in (int8, float32):
        try_model(each)
    return DiagnosisFiles(folder, int8, float32)


def _find_int8(folder: ModelFolder, format: Format | None) -> Path:
    names = [f"int8.{each}" for each in ((format,) if format else FORMATS)]
    found = next((folder.file(each) for each in names if folder.file(each).exists()), None)
    if found is None:
        name = names[0] if format else "an int8 file"
        remedy = _export(folder, f" --int8{f' --format {format}' if format else ''}")
        raise ModelFolderError(f"{folder.path}: has no {name.removeprefix('an ')}; {remedy}")
    return found


def _export(folder: ModelFolder, options: str) -> str:
    force = " --force" if any(folder.file(name).exists() for name in EXPORTED) else ""
    return f"run 'edgeemo export {folder.path}{options}{force}'"


def _require_same(int8: SealedModel, float32: SealedModel) -> None:
    """Refuse an int8 file of another model than the float32 file.

    Raises:
        EngineError: If it is one.
    """
    ours, theirs = (replace(each.spec, provenance=Provenance()) for each in (int8, float32))
    sources = {each.spec.provenance.source_sha256 for each in (int8, float32)} - {""}
    if ours != theirs or len(sources) > 1:
        raise EngineError(
            f"{int8.path}: an export of another model than {float32.path}; name its own model "
            "folder"
        )
