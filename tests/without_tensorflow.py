"""A pytest plugin: importing TensorFlow is an error. So the tests it is loaded for need none."""

from __future__ import annotations

import sys

sys.modules.update(dict.fromkeys(("tensorflow", "keras", "tf2onnx")))
