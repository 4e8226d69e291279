"""Small networks of somebody else, whose predictions are computed by hand.

They take the mean of each channel, and have a dense layer and a head.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TYPES = {"float32": 0, "uint8": 3, "int8": 9, "int16": 7, "int32": 2}
OPERATORS = schema.BuiltinOperator
HEADS = {
    "SOFTMAX": (OPERATORS.SOFTMAX, schema.BuiltinOptions.SoftmaxOptions, schema.SoftmaxOptionsT),
    "LOGISTIC": (OPERATORS.LOGISTIC, 0, None),
    "RELU": (OPERATORS.RELU, 0, None),
}


@dataclass(kw_only=True)
class Net:
    """A network, as a TFLite or ONNX file.

    Attributes:
        side: Height and width of its image.
        channels: Its channels.
        outputs: Its outputs.
        head: Its last operator; "" for none.
        dtype: Type of its input.
        quantization: Scale and zero point of a TFLite input of 8 bits.
        shape: Shape of its input, where it is another one.
        layout: "nhwc" or "nchw".
        inputs: Number of its inputs.
        extra_output: Whether the dense layer is an output, too.
        custom: Name of a custom operator at its end.
        metadata: Fields of TFLite Metadata: "labels" (name of the file), "mean", "std".
        members: Files of the archive behind a TFLite model.
        properties: ``metadata_props`` of an ONNX model.
    """

    side: int = 8
    channels: int = 3
    outputs: int = 2
    head: str = "SOFTMAX"
    dtype: str = "float32"
    quantization: tuple[float, int] | None = None
    shape: tuple[Any, ...] = ()
    layout: str = "nhwc"
    inputs: int = 1
    extra_output: bool = False
    custom: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    members: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        if self.channels == 1:
            weights, bias = [[-4], [0], [4]], [2, 0.6, -2]
        else:
            weights, bias = np.eye(3, self.channels) * 4, [0, 2, 1]
        rows = slice(self.outputs)
        return np.array(weights, np.float32)[rows], np.array(bias, np.float32)[rows]

    @property
    def input_shape(self) -> tuple[Any, ...]:
        image = (self.side, self.side, self.channels)
        image = image if self.layout == "nhwc" else (image[2], *image[:2])
        return self.shape or (1, *image)

    def logits(self, pixels, scale=1 / 255, offset=0.0, *, bgr=False):
        """The dense layer's values for (H, W, C) pixels."""
        values = pixels[..., ::-1] if bgr else pixels
        means = (values * np.asarray(scale) + np.asarray(offset)).mean(axis=(0, 1))
        weights, bias = self.weights
        return weights.astype(float) @ means + bias

    def predict(self, pixels, *args, **kwargs):
        """Its probabilities for (H, W, C) pixels."""
        logits = self.logits(pixels, *args, **kwargs)
        if self.outputs == 1:
            p = 1 / (1 + np.exp(-logits[0]))
            return np.array([1 - p, p])
        powers = np.exp(logits - logits.max())
        return powers / powers.sum()

    def write(self, path: Path) -> Path:
        """Write the file, in the format of its suffix."""
        path.write_bytes(self.write_bytes(path.suffix))
        return path

    def write_bytes(self, suffix: str) -> bytes:
        """The content of the file, in a format."""
        return self._tflite() if suffix == ".tflite" else self._onnx()

    def _onnx(self) -> bytes:
        from onnx import TensorProto, helper, numpy_helper

        weights, bias = self.weights
        kinds = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8}
        kinds |= {"int8": TensorProto.INT8, "float16": TensorProto.FLOAT16}
        axes = [1, 2] if self.layout == "nhwc" else [2, 3]
        logits = "logits" if self.head else "output"
        nodes = [
            helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["floats"], ["means"], axes=axes, keepdims=0),
            helper.make_node("Gemm", ["means", "w", "b"], [logits], transB=1),
        ]
        names = {"SOFTMAX": "Softmax", "LOGISTIC": "Sigmoid", "RELU": "Relu"}
        if self.head:
            head = names.get(self.head, self.head)
            nodes.append(helper.make_node(head, ["logits"], ["output"], domain=self.custom))
        images = ["image", "image2"][: self.inputs]
        outputs = ["output", *(["logits"] if self.extra_output else [])]
        rows = self.input_shape[0] if isinstance(self.input_shape[0], int) else "rows"
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info(n, kinds[self.dtype], self.input_shape) for n in images],
            [
                helper.make_tensor_value_info(n, TensorProto.FLOAT, [rows, self.outputs])
                for n in outputs
            ],
            [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        if self.custom:
            model.opset_import.append(helper.make_opsetid(self.custom, 1))
        helper.set_model_props(model, dict(self.properties))
        return model.SerializeToString()

    def _tflite(self) -> bytes:
        model = _Builder(self).build()
        content = _pack(model)
        if not self.members:
            return content
        stream = io.BytesIO(content)
        with zipfile.ZipFile(stream, "a") as archive:
            for name, text in self.members.items():
                archive.writestr(name, text)
        return stream.getvalue()


class _Builder:
    """Builds a TFLite model with the objects of its schema."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.buffers = [schema.BufferT()]
        self.tensors: list[Any] = []
        self.codes: list[Any] = []
        self.operators: list[Any] = []

    def build(self) -> Any:
        net = self.net
        shape = [each if isinstance(each, int) else -1 for each in net.input_shape]
        image = self.tensor("image", shape, net.dtype, quantization=net.quantization)
        more = [self.tensor(f"image{n}", shape, net.dtype) for n in range(1, net.inputs)]
        last = image
        if net.quantization:
            last = self.operator(OPERATORS.DEQUANTIZE, [last], shape)
        axes = self.constant(np.array([1, 2] if net.layout == "nhwc" else [2, 3], np.int32))
        last = self.operator(
            OPERATORS.MEAN, [last, axes], [1, net.channels], schema.BuiltinOptions.ReducerOptions,
            schema.ReducerOptionsT(),
        )  # fmt: skip
        dense = last = self.operator(
            OPERATORS.FULLY_CONNECTED, [last, *map(self.constant, net.weights)],
            [1, net.outputs], schema.BuiltinOptions.FullyConnectedOptions,
            schema.FullyConnectedOptionsT(),
        )  # fmt: skip
        if net.head:
            code, kind, make = HEADS[net.head]
            options = make() if make else None
            if net.head == "SOFTMAX":
                options.beta = 1.0
            last = self.operator(code, [last], [1, net.outputs], kind, options)
        if net.custom:
            last = self.operator(OPERATORS.CUSTOM, [last], [1, net.outputs], name=net.custom)
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = [image, *more], [last, *([dense] * net.extra_output)]
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = self.codes
        if net.metadata:
            entry = schema.MetadataT()
            entry.name, entry.buffer = "TFLITE_METADATA", self.buffer(write_metadata(net.metadata))
            model.metadata = [entry]
        return model

    def buffer(self, content: bytes) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self.buffers.append(buffer)
        return len(self.buffers) - 1

    def tensor(self, name, shape, dtype="float32", *, buffer=0, quantization=None) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer = name, TYPES[dtype], buffer
        tensor.shape = [abs(side) for side in shape]
        if -1 in shape:
            tensor.shapeSignature = shape
        if quantization:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = [quantization[0]]
            tensor.quantization.zeroPoint = [quantization[1]]
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, values) -> int:
        dtype = {np.dtype(np.int32): "int32"}.get(values.dtype, "float32")
        buffer = self.buffer(values.tobytes())
        return self.tensor(f"c{len(self.tensors)}", values.shape, dtype, buffer=buffer)

    def operator(self, code, inputs, shape, kind=0, options=None, *, name="") -> int:
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = code, min(code, 127), 1
        entry.customCode = name or None
        self.codes.append(entry)
        made = self.tensor(f"t{len(self.tensors)}", [abs(side) for side in shape])
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = (
            len(self.codes) - 1,
            inputs,
            [made],
        )
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self.operators.append(operator)
        return made


def _pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def write_metadata(fields: Mapping[str, Any]) -> bytes:
    """TFLite Metadata ("M001"): a normalisation of the input and a file of labels of the output."""
    builder = flatbuffers.Builder(512)

    def floats(values):
        builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            builder.PrependFloat32(value)
        return builder.EndVector()

    def table(**slots):
        builder.StartObject(8)
        for slot, (kind, value) in {int(k[1:]): v for k, v in slots.items()}.items():
            if kind == "offset":
                builder.PrependUOffsetTRelativeSlot(slot, value, 0)
            else:
                builder.PrependUint8Slot(slot, value, 0)
        return builder.EndObject()

    def tables(*offsets):
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return ("offset", builder.EndVector())

    units = {}
    if "mean" in fields:
        mean, std = floats(fields["mean"]), floats(fields["std"])
        options = table(_0=("offset", mean), _1=("offset", std))
        units["_4"] = tables(table(_0=("byte", 1), _1=("offset", options)))
    taken = tables(table(**units))
    files = {}
    if "labels" in fields:
        name = builder.CreateString(fields["labels"])
        files["_6"] = tables(table(_0=("offset", name), _2=("byte", 2)))
    given = tables(table(**files))
    graphs = tables(table(_2=taken, _3=given))
    builder.Finish(table(_3=graphs), file_identifier=b"M001")
    return bytes(builder.Output())


@pytest.fixture(scope="session")
def pixels():
    """An (8, 8, 3) image that is brightest in red."""
    rng = np.random.default_rng(5)
    return (rng.integers(0, 200, (8, 8, 3)) + np.array([55, 20, 0])).astype(np.uint8)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Function (net, scale, offset, count): images in folders of what the network predicts."""

    def draw(net, *, scale=1 / 255, offset=0.0, names=("happy", "sad"), count=20) -> Path:
        folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(2)
        made = dict.fromkeys(names, 0)
        for name in names:
            (folder / name).mkdir()
        while min(made.values()) < count:
            level = rng.integers(0, 256, net.channels)
            image = np.broadcast_to(level, (8, 8, net.channels)).astype(np.uint8)
            name = names[int(net.predict(image, scale, offset).argmax())]
            if made[name] < count:
                Image.fromarray(image.squeeze()).save(folder / name / f"{made[name]}.png")
                made[name] += 1
        return folder

    return draw
