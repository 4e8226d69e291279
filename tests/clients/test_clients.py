"""Files for other programs: what they predict, what they say, and when they are refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from edgeemo import Classifier
from edgeemo.clients import ClientOptions, export_clients, rgb_input
from edgeemo.clients.graph_editor import GraphEditor
from edgeemo.clients.graph_parts import DEQUANTIZE, UINT8, Operator, Tensor
from edgeemo.clients.onnx_form import make_onnx_form
from edgeemo.clients.rgb_input import RgbInput
from edgeemo.clients.tflite_form import make_client_spec, make_tflite_form
from edgeemo.engines.flatbuffer import find_fault, open_root
from edgeemo.engines.load import load_engine
from edgeemo.engines.rewrite import BUFFERS, DESCRIPTION, GRAPHS, METADATA
from edgeemo.errors import ExportError, ModelFolderError, ParityError
from edgeemo.model.container import read_engine_model, seal, unseal, unseal_bytes
from edgeemo.model.folder import shipped_folder

RANDOM = np.random.default_rng(0)
LABELS = "happy\nsad\n"


def run(content, spec, pixels, *, name="a.tflite"):
    sealed = seal(content, spec, format=name.rpartition(".")[2])
    return load_engine(unseal_bytes(sealed, name=name)).run(pixels)


def read_all(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_general_form_predicts_as_the_verified_files_and_is_verified(folder, place):
    made = export_clients(folder)
    assert [file.path.name for file in made.files] == [path.name for path in folder.list_exported()]
    general = folder.path / "client" / "general"
    assert (general / "labels.txt").read_text() == LABELS
    assert (general / "labelmap.txt").read_text() == LABELS
    images = sorted((place.data / "sad").iterdir())
    for file in made.files:
        assert file.equality.n == 40
        assert file.equality.file_flips == 0
        assert file.equality.max_difference <= (0 if file.path.name == "int8.tflite" else 1e-7)
        assert file.measured.n == 40
        lean, client = (Classifier.load(each) for each in (folder.file(file.made_of), file.path))
        assert client.verified
        assert client.spec.channels == 3
        assert client.spec.output_labels == ("happy", "sad")
        for path in images:
            expected, found = lean.predict(path), client.predict(path)
            assert found.label == expected.label
            assert found.scores["sad"] == expected.scores["sad"]  # to the bit
    entries = json.loads((general / "verify.json").read_text())["files"]
    assert [entry["equality"]["file"] for entry in entries] == [
        path.name for path in folder.list_exported()
    ]


def test_the_same_files_give_the_same_bytes(folder):
    options = ClientOptions(forms=("general", "frigate", "mediapipe"), c_array=True)
    export_clients(folder, options=options)
    first = read_all(folder.path / "client")
    export_clients(folder, options=options)
    assert read_all(folder.path / "client") == first
    assert len(first) == 7 + 4 + 4 + 2


def test_no_two_tensors_have_one_name_by_which_openvino_finds_them(folder):
    made = export_clients(folder, options=ClientOptions(forms=("general", "frigate")))
    for file in made.files:
        if file.path.suffix == ".tflite":
            (graph,) = open_root(read_engine_model(file.path)).tables(GRAPHS)
            names = [tensor.text(3) for tensor in graph.tables(0)]
            assert len(set(names)) == len(names), names


@pytest.mark.parametrize("name", ["int8.tflite", "float32.tflite"])
def test_an_rgb_model_gets_columns_alone(folder, name):
    sealed = unseal(folder.file(name))
    editor = GraphEditor(read_engine_model(sealed.path))
    RgbInput(editor, sealed.spec, False).build(None)
    rgb, spec = editor.build(description=""), replace(sealed.spec, channels=3)
    form = make_tflite_form(rgb, spec)
    for _ in range(20):
        pixels = RANDOM.integers(0, 256, spec.input_shape, dtype=np.uint8)
        (p,) = run(rgb, spec, pixels)
        columns = run(form, make_client_spec(spec), pixels)
        assert columns[1] == p
        assert columns[0] == pytest.approx(1 - p, abs=1e-7)


def test_pixels_in_front_of_float_operators_stay_the_same(folder):
    """As in an int8 file whose first layer was kept in float."""
    sealed = unseal(folder.file("float32.tflite"))
    spec, editor = sealed.spec, GraphEditor(read_engine_model(sealed.path))
    pixels = Tensor(shape=(1, 12, 12, 1), type=UINT8, scale=spec.scale, name="pixels")
    start = editor.add_tensor(pixels)
    editor.put_in_front(
        [Operator(code=DEQUANTIZE, version=1, inputs=(start,), outputs=(editor.input,))]
    )
    editor.input = start
    lean = editor.build(description="")
    form = make_tflite_form(lean, spec)
    for _ in range(20):
        image = RANDOM.integers(0, 256, spec.input_shape, dtype=np.uint8)
        (p,) = run(lean, spec, image)
        assert run(form, make_client_spec(spec), np.repeat(image, 3, axis=2))[1] == p


@pytest.mark.parametrize("name", ["int8.tflite", "float32.onnx"])
def test_colours_become_the_grey_of_pillow(folder, name):
    sealed = unseal(folder.file(name))
    own, model = make_client_spec(sealed.spec), read_engine_model(sealed.path)
    is_onnx = name.endswith("onnx")
    form = make_onnx_form(model, sealed.spec) if is_onnx else None
    form = form or make_tflite_form(model, sealed.spec)
    lean, worst = load_engine(sealed), 0.0
    for _ in range(20):
        pixels = RANDOM.integers(0, 256, own.input_shape, dtype=np.uint8)
        grey = np.asarray(Image.fromarray(pixels).convert("L"))[..., None]
        (p,) = lean.run(grey)
        worst = max(worst, abs(run(form, own, pixels, name=name)[1] - p))
    assert worst < 0.02


def test_a_softmax_with_three_labels_of_a_shipped_model(tmp_path):
    made = export_clients(shipped_folder("happy-sad"), out=tmp_path / "out")
    assert made.images == "drawn images"
    assert [file.equality.max_difference for file in made.files] == [0, 0, 0, 0]
    assert (tmp_path / "out/general/labels.txt").read_text() == "happy\nneither\nsad\n"
    assert Classifier.load(tmp_path / "out/general/int8.tflite").verified


def test_a_channels_first_file_takes_the_layout_of_opencv(folder):
    made = export_clients(folder, options=ClientOptions(layout="nchw"))
    names = {file.path.name for file in made.files}
    assert {"float32-nchw.onnx", "int8-nchw.onnx"} < names
    onnx = pytest.importorskip("onnx")
    model = onnx.load(folder.path / "client/general/float32-nchw.onnx")
    onnx.checker.check_model(model, full_check=True)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [each.dim_value for each in dims] == [1, 3, 12, 12]
    assert "Transpose" not in [node.op_type for node in model.graph.node][:2]
    assert "NCHW" in model.graph.input[0].doc_string


def test_frigate_gets_its_folder_and_the_cost_of_resizing_is_told(folder):
    made = export_clients(folder, options=ClientOptions(forms=("frigate",)))
    (file,) = made.files
    assert file.path == folder.path / "client/frigate/tiny/model.tflite"
    assert (file.path.parent / "labelmap.txt").read_text() == LABELS
    editor = GraphEditor(read_engine_model(file.path))
    tensor = editor.describe_tensor(editor.input)
    assert (tensor.shape, tensor.type) == ((1, 224, 224, 3), UINT8)
    assert any("resizes 224x224 by itself" in note for note in made.notes)


def test_without_int8_frigate_gets_float_behind_uint8(folder):
    folder.file("int8.tflite").unlink()
    made = export_clients(folder, options=ClientOptions(forms=("frigate",)))
    assert made.files[0].made_of == "float32.tflite"
    assert made.files[0].equality.file_max_difference < 0.3


def test_the_metadata_is_where_other_programs_look(folder):
    made = export_clients(folder, options=ClientOptions(forms=("mediapipe",)))
    (file,) = made.files
    assert file.path == folder.path / "client/mediapipe/tiny.tflite"
    content = read_engine_model(file.path)
    assert find_fault(content) == ""
    root = open_root(content)
    entry = next(each for each in root.tables(METADATA) if each.text(0) == "TFLITE_METADATA")
    buffer = root.tables(BUFFERS)[entry.number(1, "<I")]
    start, length = buffer._vector(0, 1)
    assert start % 16 == 0
    metadata = content[start : start + length]
    assert metadata[4:8] == b"M001"
    (graph,) = open_root(metadata).tables(3)
    (output,) = graph.tables(3)
    assert [each.text(0) for each in output.tables(6)] == ["labels.txt"]
    assert "probabilities of 'happy' and 'sad'" in root.text(DESCRIPTION)


def test_a_file_that_predicts_otherwise_is_refused_and_nothing_written(folder, monkeypatch):
    monkeypatch.setattr(rgb_input, "_INT8_SUM", 150)
    with pytest.raises(ParityError, match=r"general/int8.tflite: its probabilities differ") as info:
        export_clients(folder)
    assert info.value.exit_code == 3
    assert not folder.file("client").exists()


def test_only_verified_files_have_a_form(folder):
    folder.file("verify.json").unlink()
    with pytest.raises(
        ModelFolderError, match=r"no exported file is verified; run 'edgeemo verify"
    ):
        export_clients(folder)
    for path in folder.list_exported():
        path.unlink()
    with pytest.raises(ModelFolderError, match=r"no exported \.tflite or \.onnx file; run"):
        export_clients(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"forms": ("foo",)}, "client form 'foo' is unknown; choose from general, frigate"),
        ({"layout": "nchw", "formats": ("tflite",)}, "--layout nchw requires --format onnx"),
        ({"layout": "nchw", "forms": ()}, "--layout nchw requires --client"),
        ({"c_array": True, "formats": ("onnx",)}, "--c-array requires --format tflite"),
        ({"forms": ("frigate",), "formats": ("onnx",)}, "--client frigate requires"),
    ],
)
def test_options_that_contradict_each_other(values, message):
    with pytest.raises(ExportError, match=message):
        ClientOptions(**values)


def test_the_array_holds_the_verified_model(folder, tmp_path):
    made = export_clients(folder, options=ClientOptions(forms=(), c_array=True))
    assert made.files == ()
    model = read_engine_model(folder.file("int8.tflite"))
    source, header = made.c_array.source, made.c_array.header
    assert "alignas(16)" in source.read_text()
    assert f"k_tiny_model_bytes = {len(model)};" in header.read_text()
    told = "not measured" if made.c_array.arena_bytes is None else "needs a tensor arena of"
    assert any(told in note for note in made.notes)
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    main = tmp_path / "main.cc"
    main.write_text(
        '#include <cstdio>\n#include "tiny.h"\nint main() { '
        "fwrite(g_tiny_model, 1, k_tiny_model_bytes, stdout); "
        "return reinterpret_cast<unsigned long>(g_tiny_model) % 16; }\n"
    )
    program = tmp_path / "main"
    subprocess.run(
        [compiler, "-Wall", "-Werror", f"-I{header.parent}", main, source, "-o", program],
        check=True,
    )
    assert subprocess.run([program], check=True, capture_output=True).stdout == model
