"""The ONNX engine: the only module that imports onnxruntime to run a model."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.engines.imports import (
    is_missing,
    load_error,
    name_with_version,
    prediction_error,
)
from edgeemo.engines.pool import keep_forever, read_again
from edgeemo.errors import EngineError, MissingExtraError
from edgeemo.utils.isolate import forbid_telemetry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.engines.conversion import Conversion
    from edgeemo.model.container import SealedModel
    from edgeemo.model.spec import ModelSpec

_FLOAT, _UINT8 = "tensor(float)", "tensor(uint8)"
_FATAL_ONLY = 4  # onnxruntime's log severity: its exceptions say the rest


class OnnxEngine:
    """An ``.onnx`` file in ONNX Runtime, on the CPU.

    Raises:
        EngineError: If the engine refuses the file or its tensors differ from the specification.
        MissingExtraError: If onnxruntime is not installed.
    """

    def __init__(self, model: SealedModel, *, threads: int = 1) -> None:
        self._model, self._threads, self._path = model, threads, model.path
        self._session, self._process = _build_session(model, threads), os.getpid()
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise EngineError(
                f"{model.path}: {len(inputs)} inputs and {len(outputs)} outputs; one each is needed"
            )
        spec = model.spec
        shape = _fix_batch(inputs[0].shape)
        is_nchw = spec.adopted is None and _is_nchw(shape, spec)
        shape = [1, *spec.input_shape] if is_nchw else shape
        problem = spec.find_shape_mismatch(
            shape, _fix_batch(outputs[0].shape)
        ) or _find_type_problem(inputs[0].type, outputs[0].type, is_adopted=bool(spec.adopted))
        if problem:
            raise EngineError(f"{model.path}: {problem}; export it again")
        self._input, self._output = inputs[0].name, [outputs[0].name]
        self._adopted = spec.adopted
        self._convert = _choose_conversion(spec, inputs[0].type, is_nchw=is_nchw)

    @property
    def name(self) -> str:
        """Return the package and its version."""
        return name_with_version("onnxruntime")

    def run(self, pixels: NDArray[np.uint8]) -> Sequence[float]:
        """See `edgeemo.engines.base.Engine.run`."""
        values = self._convert(pixels)[None]
        if self._process != os.getpid():
            self._leave_parent()
        try:
            (raw,) = self._session.run(self._output, {self._input: values})
        except Exception as error:  # its exceptions share no base class
            raise prediction_error(self._path, "ONNX", error) from None
        outputs = [float(value) for value in raw.ravel()]
        return self._adopted.to_probabilities(outputs) if self._adopted else outputs

    def _leave_parent(self) -> None:
        """Build a session of its own for a forked process, where it has threads."""
        if self._threads > 1:
            keep_forever(self._session)
            content = self._model.content or read_again(self._model)
            self._session = _build_session(replace(self._model, content=content), self._threads)
        self._process = os.getpid()


def import_onnxruntime() -> Any:
    """Import onnxruntime.

    Raises:
        EngineError: If it is installed and cannot be loaded.
        MissingExtraError: If it is not installed.
    """
    forbid_telemetry()
    try:
        import onnxruntime
    except (ImportError, OSError) as error:
        if not is_missing(error, "onnxruntime"):
            raise load_error("onnxruntime", error) from None
        raise MissingExtraError(
            "onnxruntime", extra="onnx", purpose="running an .onnx file"
        ) from None
    return onnxruntime


def _is_nchw(shape: Sequence[int], spec: ModelSpec) -> bool:
    """Return whether the input is (1, C, H, W), as of a file for other programs."""
    height, width, channels = spec.input_shape
    return list(shape) == [1, channels, height, width] and channels != width


def _choose_conversion(spec: ModelSpec, type: str, *, is_nchw: bool) -> Conversion:
    """Return the conversion from pixels to the input tensor."""
    if spec.adopted is None:
        factor = np.float32(spec.scale)
        if is_nchw:
            return lambda pixels: np.ascontiguousarray((pixels * factor).transpose(2, 0, 1))
        return lambda pixels: pixels * factor
    from edgeemo.engines.conversion import build_conversion  # no exported file comes here

    return build_conversion(spec, np.float32 if type == _FLOAT else np.uint8)


def _fix_batch(shape: Sequence[int | str | None]) -> list[int]:
    """Return a shape with 1 for a number of images that is left open, and 0 for any other size."""
    sizes = [max(n, 0) if isinstance(n, int) else 0 for n in shape]
    return [sizes[0] or 1, *sizes[1:]] if sizes else []


def _find_type_problem(inputs: str, outputs: str, *, is_adopted: bool) -> str | None:
    if outputs != _FLOAT or inputs not in ((_FLOAT, _UINT8) if is_adopted else (_FLOAT,)):
        return f"its input is {inputs} and its output {outputs} where {_FLOAT} is needed"
    return None


def _build_session(model: SealedModel, threads: int) -> Any:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    try:
        return onnxruntime.InferenceSession(
            model.content or model.path, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its exceptions share no base class
        from edgeemo.utils.text import one_line

        reason = one_line(error)
        if "bad_alloc" in reason:
            raise MemoryError from None
        raise EngineError(f"{model.path}: the ONNX engine refuses it: {reason}") from None
