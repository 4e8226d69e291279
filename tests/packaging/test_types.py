"""The installed package is typed: a wrong option is an error before anything runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

WRONG = """\
TrainOptions(augment="lite")  # arg-type
TrainOptions(epochs="20")  # arg-type
TrainOptions(epoch=20)  # call-arg
TrainOptions.epochs = "20"  # assignment
TrainOptions().epochs = 1  # misc
ExportOptions(formats=("tflight",))  # arg-type
ExportOptions(calibration_count=1.5)  # arg-type
BundleOptions(golden="drawn")  # arg-type
BundleOptions(fallback="float32.onnx")  # arg-type
ImportOptions(labels=("happy", "sad"))  # call-arg
IngestOptions(ratios=(0.8, 0.2))  # arg-type
CropOptions(faces=None)  # arg-type
FaceRequest(margin="wide")  # arg-type
ModelSpec(labels=("a", "b"), height=8, width=8, channels=2)  # arg-type
Classifier.load("int8.tflite").predict(1)  # arg-type
"""
RIGHT = """\
from pathlib import Path

from edgeemo import Classifier, FaceRequest, ModelSpec
from edgeemo.bundle.options import BundleOptions, GoldenSource
from edgeemo.dataset.ingest.options import IngestOptions
from edgeemo.dataset.write.crop import CropOptions
from edgeemo.export.options import ExportOptions
from edgeemo.model.face_settings import FaceSettings
from edgeemo.train.import_model import ImportOptions
from edgeemo.train.options.choices import Augment
from edgeemo.train.options.options import TrainOptions

TrainOptions(augment=Augment.LIGHT, epochs=20)
ExportOptions(formats=("tflite",), int8=True)
BundleOptions(golden=GoldenSource.test, fallback=Path("float32.onnx"))
ImportOptions(labels=("happy", "sad"), scale=1 / 255)
IngestOptions(accept=("webp",), ratios=(0.8, 0.1, 0.1))
CropOptions(faces=FaceSettings(), size=64)
FaceRequest(margin=0.2)
ModelSpec(labels=("happy", "sad"), height=48, width=48, channels=1)
label: str = Classifier.load("int8.tflite").predict("face.jpg").label
"""


def test_a_wrong_option_is_an_error_of_the_type_checker(tmp_path):
    (tmp_path / "use.py").write_text(RIGHT + WRONG)
    shared = (
        "--config-file",
        REPOSITORY / "pyproject.toml",
        "--cache-dir",
        REPOSITORY / ".mypy_cache",
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *shared, "use.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.findall(r"^use\.py:(\d+): error: .*\[(.+)]$", checked.stdout, re.MULTILINE)
    first = RIGHT.count("\n") + 1
    codes = [line.rpartition("# ")[2] for line in WRONG.splitlines()]
    assert found == [(str(first + at), code) for at, code in enumerate(codes)], checked.stdout
