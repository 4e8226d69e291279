"""Predict images with MNN: python with_mnn.py MODEL.tflite|MODEL.onnx IMAGE ...

The command `mnnconvert` would install a package for its telemetry; what it calls does not.
"""

import sys
import tempfile

import _tools
import MNN
import numpy as np
from PIL import Image

model, *images = sys.argv[1:]
format = "TFLITE" if model.endswith(".tflite") else "ONNX"
with tempfile.TemporaryDirectory() as folder:
    file = f"{folder}/model.mnn"
    words = ("-f", format, "--modelFile", model, "--MNNModel", file, "--bizCode", "edgeemo")
    _tools.mnnconvert(["mnnconvert", *words])
    interpreter = MNN.Interpreter(file)
session = interpreter.createSession()
source = interpreter.getSessionInput(session)
shape = source.getShape()
is_nchw = shape[1] in (1, 3)
height, width = shape[2:] if is_nchw else shape[1:3]
channels = shape[1 if is_nchw else 3]
for path in images:
    image = Image.open(path).convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    values = pixels.reshape(1, height, width, channels) * np.float32(1 / 255)
    values = np.ascontiguousarray(values.transpose(0, 3, 1, 2) if is_nchw else values)
    source.copyFrom(MNN.Tensor(shape, MNN.Halide_Type_Float, values, source.getDimensionType()))
    if interpreter.runSession(session):
        sys.exit("MNN cannot run the converted model")
    target = interpreter.getSessionOutput(session)
    print(*np.ravel(target.getNumpyData()).tolist())
