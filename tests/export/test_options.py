from __future__ import annotations

import pytest

from edgeemo.errors import ExportError
from edgeemo.export import ExportOptions
from edgeemo.model.folder import EXPORTED


def test_float32_is_always_made():
    assert ExportOptions().file_names == ("float32.tflite", "float32.onnx")


def test_every_option_gives_every_file():
    options = ExportOptions(int8=True, float16=True, dynamic=True)
    assert options.file_names == EXPORTED


def test_one_format_leaves_the_other_out():
    options = ExportOptions(int8=True, formats=("onnx",))
    assert options.file_names == ("float32.onnx", "int8.onnx")


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"formats": ()}, "formats"),
        ({"formats": ("pdf",)}, "pdf"),
        ({"float16": True, "formats": ("onnx",)}, "require the format tflite"),
        ({"dynamic": True, "formats": ("onnx",)}, "require the format tflite"),
        ({"calibration_count": 0}, "calibration"),
    ],
)
def test_contradictions_are_refused(wrong, word):
    with pytest.raises(ExportError, match=word):
        ExportOptions(**wrong)
