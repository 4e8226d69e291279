"""The TFLite engine: the only module that imports ai_edge_litert."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.engines.imports import (
    is_missing,
    load_error,
    name_with_version,
    prediction_error,
)
from edgeemo.engines.pool import InterpreterPool, read_again
from edgeemo.errors import EngineError, MissingExtraError
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.engines.conversion import Conversion
    from edgeemo.model.container import SealedModel
    from edgeemo.model.spec import ModelSpec


class LiteRTEngine:
    """A ``.tflite`` file in LiteRT interpreters, as many as threads predict at the same time.

    Raises:
        EngineError: If the interpreter refuses the file, or its tensors do not match the
            specification.
        MissingExtraError: If ai-edge-litert is not installed.
    """

    def __init__(self, model: SealedModel, *, threads: int = 1) -> None:
        self._model, self._threads = model, threads
        with drop_output():  # LiteRT announces its delegate, once
            self._interpreter = _build_interpreter(model, threads)
        self._pool = InterpreterPool(self._interpreter, self._build_another, threads=threads)
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        if len(inputs) != 1 or len(outputs) != 1:
            raise EngineError(
                f"{model.path}: {len(inputs)} inputs and {len(outputs)} outputs; one each is needed"
            )
        self._input, self._output = inputs[0], outputs[0]
        problem = model.spec.find_shape_mismatch(
            self._input["shape"], self._output["shape"]
        ) or _find_type_problem(
            self._input, self._output, is_adopted=model.spec.adopted is not None
        )
        if problem:
            raise EngineError(f"{model.path}: {problem}; export it again")
        self._adopted = model.spec.adopted
        self._convert = _choose_conversion(model.spec, self._input)

    @property
    def name(self) -> str:
        """Return the package and its version."""
        package = type(self._interpreter).__module__.partition(".")[0]
        return name_with_version(package.replace("_", "-"))

    @property
    def tensors(self) -> list[dict[str, Any]]:
        """Return name, index, shape, dtype and quantization of every tensor."""
        return list(self._interpreter.get_tensor_details())

    @property
    def operations(self) -> list[str]:
        """Return the operator names in order; one "DELEGATE" at the end per XNNPACK partition."""
        return [entry["op_name"] for entry in self._interpreter._get_ops_details()]

    @property
    def types(self) -> tuple[str, str]:
        """Return the input and output type, each with its quantisation where it has one."""
        return _type_text(self._input), _type_text(self._output)

    @property
    def signature(self) -> dict[str, dict[str, list[str]]]:
        """Return the signatures: name to {"inputs": names, "outputs": names}."""
        return dict(self._interpreter.get_signature_list())

    def run(self, pixels: NDArray[np.uint8]) -> Sequence[float]:
        """See `edgeemo.engines.base.Engine.run`."""
        values = self._convert(pixels)
        interpreter = self._pool.take()
        try:
            interpreter.set_tensor(self._input["index"], values[None])
            interpreter.invoke()
            raw = interpreter.get_tensor(self._output["index"]).ravel()
        except (RuntimeError, ValueError) as error:
            raise prediction_error(self._model.path, "LiteRT", error) from None
        finally:
            self._pool.give_back(interpreter)
        if raw.dtype == np.float32:
            outputs = [float(value) for value in raw]
        else:
            scale, zero_point = self._output["quantization"]
            outputs = [(int(value) - zero_point) * float(scale) for value in raw]
        return self._adopted.to_probabilities(outputs) if self._adopted else outputs

    def _build_another(self) -> Any:
        """Build another interpreter of the very bytes that the first one has."""
        if self._model.content is None:
            self._model = replace(self._model, content=read_again(self._model))
        return _build_interpreter(self._model, self._threads)


def import_interpreter() -> Any:
    """Import the interpreter's class: LiteRT's, or TFLite's on a 32-bit Raspberry Pi OS.

    LiteRT has no wheels for 32-bit systems; tflite-runtime is its predecessor.

    Raises:
        EngineError: If it is installed and cannot be loaded.
        MissingExtraError: If it is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except (ImportError, OSError) as error:
        if not is_missing(error, "ai_edge_litert", "ai_edge_litert.interpreter"):
            raise load_error("ai-edge-litert", error) from None
    else:
        return Interpreter
    try:
        return import_module("tflite_runtime.interpreter").Interpreter
    except ModuleNotFoundError:
        raise MissingExtraError("ai-edge-litert", purpose="running a .tflite file") from None
    except ImportError as error:
        raise load_error("tflite-runtime", error) from None


def import_schema() -> Any:
    """Import the classes of TFLite's FlatBuffer schema.

    Raises:
        EngineError: If LiteRT is installed and cannot be loaded.
        MissingExtraError: If it is not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated
    except (ImportError, OSError) as error:
        raise load_error("ai-edge-litert", error) from None
    return schema_py_generated


def build_unshared_interpreter(content: bytes) -> Any:
    """Build an interpreter whose tensors share no memory, so that all can be read after a run.

    It runs TFLite's own kernels: a delegate does not expose the tensors inside it.

    Raises:
        EngineError: If LiteRT is installed and cannot be loaded.
        MissingExtraError: If it is not installed.
    """
    interpreter = import_interpreter()
    kernels = import_module(interpreter.__module__).OpResolverType
    return interpreter(
        model_content=content,
        num_threads=1,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )


def _build_interpreter(model: SealedModel, threads: int) -> Any:
    make = import_interpreter()
    try:
        interpreter = make(
            model_path=model.path if model.content is None else None,
            model_content=model.content,
            num_threads=threads,
        )
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        from edgeemo.utils.text import one_line

        reason = one_line(error)
        raise EngineError(f"{model.path}: the LiteRT engine refuses it: {reason}") from None
    return interpreter


def _type_text(tensor: dict[str, Any]) -> str:
    scale, zero_point = tensor["quantization"]
    name = np.dtype(tensor["dtype"]).name
    return f"{name}, scale {scale:.9g}, zero point {zero_point}" if scale else name


def _choose_conversion(spec: ModelSpec, tensor: dict[str, Any]) -> Conversion:
    """Return the conversion from pixels to the input tensor."""
    dtype, quantization = tensor["dtype"], tensor["quantization"]
    if spec.adopted is None and dtype == np.float32:
        factor = np.float32(spec.scale)
        return lambda pixels: pixels * factor
    if spec.adopted is None and dtype == np.uint8 and _takes_pixels(*quantization):
        return lambda pixels: pixels
    from edgeemo.engines.conversion import build_conversion  # no exported file comes here

    return build_conversion(spec, dtype, quantization)


def _takes_pixels(scale: float, zero_point: int) -> bool:
    """Return whether a uint8 input takes pixels as they are, for a network that takes [0, 1].

    Its scale is then within half a step of 1/255 at the brightest pixel.
    """
    return zero_point == 0 and abs(255 * scale - 1) <= scale / 2


def _find_type_problem(
    inputs: dict[str, Any], outputs: dict[str, Any], *, is_adopted: bool
) -> str | None:
    if inputs["dtype"] not in (np.uint8, np.int8, np.float32):
        name = inputs["dtype"].__name__
        return f"its input is {name} where uint8, int8 or float32 is needed"
    takes_unquantised = inputs["dtype"] == np.float32 or (
        is_adopted and inputs["dtype"] == np.uint8
    )
    if not takes_unquantised and inputs["quantization"][0] == 0:
        return "its input is an integer without a quantisation scale"
    if outputs["dtype"] not in (np.uint8, np.int8, np.float32):
        return f"its output is {outputs['dtype'].__name__} where uint8, int8 or float32 is needed"
    if outputs["dtype"] != np.float32 and outputs["quantization"][0] == 0:
        return "its output is an integer without a quantisation scale"
    return None
