"""Tensors and operators of a model file that carries no spec.

The engine loads it: that belongs in a process of its own, which a broken file may crash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgeemo.engines.litert import import_interpreter
from edgeemo.engines.onnx import import_onnxruntime
from edgeemo.engines.onnx_graph import Node, read_nodes
from edgeemo.errors import EngineError
from edgeemo.utils.redirect import drop_output
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgeemo.model.container import Format, Kind

_ONNX_TYPES = {"float": "float32", "double": "float64"}
_PASSING = frozenset(
    {"RESHAPE", "SQUEEZE", "UNSQUEEZE", "EXPAND_DIMS", "FLATTEN", "IDENTITY", "CAST", "QUANTIZE",
     "DEQUANTIZE", "QUANTIZELINEAR", "DEQUANTIZELINEAR"}
)  # fmt: skip
"""Operators that pass values on, but for their shape and type."""
_QUANTISED = frozenset(
    {"QUANTIZELINEAR", "DEQUANTIZELINEAR", "DYNAMICQUANTIZELINEAR", "QLINEARCONV", "CONVINTEGER",
     "MATMULINTEGER", "QLINEARMATMUL"}
)  # fmt: skip
_DELEGATE = "DELEGATE"


@dataclass(frozen=True, kw_only=True)
class TensorFacts:
    """An input or output of a model.

    Attributes:
        name: Its name.
        shape: Its sizes; None for one that the model leaves open.
        dtype: Its type, as in "float32".
        quantization: Scale and zero point; (0, 0) where it is not quantised, or says not how.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    quantization: tuple[float, int] = (0.0, 0)


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A model file, as its engine sees it.

    Attributes:
        inputs: Its inputs.
        outputs: Its outputs.
        last_operator: Name of the operator that computes the first output, in capitals; those that
            only change its shape or type are passed over. "" where there is none.
        kind: Arithmetic of the model.
        properties: The ``metadata_props`` of an ONNX model.
    """

    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    last_operator: str
    kind: Kind
    properties: Mapping[str, str] = field(default_factory=dict)


def inspect_model(content: bytes, *, path: str, format: Format) -> ModelFacts:
    """Load a model and return its tensors and operators.

    Args:
        content: The content of the file.
        path: The file, for messages.
        format: Its format.

    Raises:
        EngineError: If the engine refuses it.
        MissingExtraError: If the engine is not installed.
    """
    inspect = _inspect_tflite if format == "tflite" else _inspect_onnx
    return inspect(content, path)


def _inspect_tflite(content: bytes, path: str) -> ModelFacts:
    build = import_interpreter()
    try:
        with drop_output():
            interpreter = build(model_content=content)
            interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise EngineError(f"{path}: the LiteRT engine refuses it: {one_line(error)}") from None
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    nodes = [
        Node(each["op_name"], tuple(each["inputs"]), tuple(each["outputs"]))
        for each in interpreter._get_ops_details()
        if each["op_name"] != _DELEGATE
    ]
    return ModelFacts(
        inputs=tuple(map(_read_tflite_tensor, inputs)),
        outputs=tuple(map(_read_tflite_tensor, outputs)),
        last_operator=find_last_operator(nodes, outputs[0]["index"]) if outputs else "",
        kind=_find_tflite_kind(interpreter, nodes),
    )


def _read_tflite_tensor(details: dict[str, Any]) -> TensorFacts:
    shape = details.get("shape_signature", ())
    shape = shape if len(shape) else details["shape"]
    scale, zero_point = details["quantization"]
    return TensorFacts(
        name=details["name"],
        shape=tuple(None if side < 0 else int(side) for side in shape),
        dtype=details["dtype"].__name__,
        quantization=(float(scale), int(zero_point)),
    )


def _find_tflite_kind(interpreter: Any, nodes: Sequence[Node]) -> Kind:
    types = {each["dtype"].__name__ for each in interpreter.get_tensor_details()}
    is_quantised = any(node.operator == "QUANTIZE" for node in nodes)
    ends = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    if is_quantised or any(each["quantization"][0] for each in ends):
        return "int8"
    if "int8" in types:
        return "dynamic"
    return "float16" if "float16" in types else "float32"


def _inspect_onnx(content: bytes, path: str) -> ModelFacts:
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base class
        raise EngineError(f"{path}: {_explain_refusal(one_line(error))}") from None
    outputs, nodes = session.get_outputs(), read_nodes(content)
    is_quantised = any(node.operator in _QUANTISED for node in nodes)
    return ModelFacts(
        inputs=tuple(map(_read_onnx_tensor, session.get_inputs())),
        outputs=tuple(map(_read_onnx_tensor, outputs)),
        last_operator=find_last_operator(nodes, outputs[0].name) if outputs else "",
        kind="int8" if is_quantised else "float32",
        properties=dict(session.get_modelmeta().custom_metadata_map),
    )


def _explain_refusal(reason: str) -> str:
    if "external" in reason.lower():
        return "keeps its weights in another file; save the model with all weights in one file"
    if "INVALID_PROTOBUF" in reason or "No graph was found" in reason:
        return "not an ONNX model, or one that was cut short; copy it again"
    return f"the ONNX engine refuses it: {reason}"


def _read_onnx_tensor(value: Any) -> TensorFacts:
    name = value.type.removeprefix("tensor(").removesuffix(")")
    return TensorFacts(
        name=value.name,
        shape=tuple(side if isinstance(side, int) and side > 0 else None for side in value.shape),
        dtype=_ONNX_TYPES.get(name, name),
    )


def find_last_operator(nodes: Sequence[Node], tensor: object) -> str:
    """Return the operator that computes a tensor, in capitals, or "".

    Args:
        nodes: All operators.
        tensor: Name or number of the tensor.
    """
    made_by = {each: node for node in nodes for each in node.outputs}
    for _ in range(len(nodes)):
        node = made_by.get(tensor)
        if node is None:
            return ""
        if node.operator not in _PASSING or not node.inputs:
            return node.operator
        tensor = node.inputs[0]
    return ""
