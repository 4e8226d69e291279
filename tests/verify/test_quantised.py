"""How int8 files were quantised, on the page of a verification."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from edgeemo.model.folder import EXPORT, ModelFolder
from edgeemo.model.quantisation import Choice, Quantisation, RangeMethod, Trial
from edgeemo.report.document import Document, Section
from edgeemo.report.markdown import to_markdown
from edgeemo.utils.serialize import to_plain
from edgeemo.verify.quantised import read_quantised, show_quantised

KEPT = Quantisation(calibration=RangeMethod.MSE, keep_float=("conv", "pool"))
CHOICE = Choice(
    split="validation",
    images=1518,
    allowed_flips=15,
    target_flips=10.0,
    max_size_bytes=None,
    passed=True,
    trials=(
        Trial(quantisation=Quantisation(), size_bytes=500_000, flips=27, expected_flips=28.8),
        Trial(quantisation=KEPT, size_bytes=520_000, flips=8, expected_flips=9.5),
    ),
)


@pytest.fixture
def folder(tmp_path):
    """A folder whose ``export.json`` records one file that was chosen, and one that was not."""
    folder = ModelFolder(tmp_path)
    folder.write_json(
        EXPORT,
        {
            "files": [
                {"file": "int8.tflite", "sha256": "a", **to_plain({"quantisation": KEPT})}
                | {"choice": to_plain(CHOICE)},
                {"file": "int8.onnx", "sha256": "b", "quantisation": to_plain(Quantisation())},
                {"file": "float32.onnx", "sha256": "c"},
            ]
        },
    )
    return folder


def _verified(**files):
    return SimpleNamespace(
        files=[SimpleNamespace(file=name, sha256=value) for name, value in files.items()]
    )


def test_the_choice_is_read_and_shown_with_its_trials(folder):
    quantised = read_quantised(folder, _verified(tflite="a", onnx="b", float32="c"))
    assert quantised == {"tflite": (KEPT, CHOICE), "onnx": (Quantisation(), None)}
    blocks = show_quantised(quantised)
    page = to_markdown(
        Document(title="t", headline="h", warnings=[], sections=[Section("int8", blocks)])
    )
    assert (
        "Ranges by mse, 2 layers in float (conv, pool): 8 flips instead of 27 on 1,518 validation "
        "images; 520 kB instead of 500 kB."
    ) in page
    assert "| ranges by minmax | 500 kB | 27 | 28.8 |" in page
    assert "onnx" not in page  # which is as ever


def test_a_file_that_is_not_the_recorded_one_is_left_out(folder):
    assert read_quantised(folder, _verified(tflite="other")) == {}


def test_a_damaged_record_shows_nothing(folder):
    folder.write_json(EXPORT, {"files": [{"sha256": "a", "quantisation": {"calibration": "x"}}]})
    assert read_quantised(folder, _verified(tflite="a")) == {}


def test_many_layers_are_named_by_their_ends():
    many = Quantisation(keep_float=tuple(f"l{number}" for number in range(9)))
    assert many.describe() == "ranges by minmax, 9 layers in float (l0 ... l8)"
    assert Quantisation(activation_bits=16).describe() == "16-bit activations"
