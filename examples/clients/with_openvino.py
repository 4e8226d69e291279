"""Predict images with OpenVINO: python with_openvino.py MODEL.onnx|MODEL.tflite IMAGE ..."""

import sys

import numpy as np
import openvino
from PIL import Image

model, *images = sys.argv[1:]
compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
shape = list(compiled.inputs[0].shape)
is_nchw = shape[1] in (1, 3)
height, width = shape[2:] if is_nchw else shape[1:3]
channels = shape[1 if is_nchw else 3]
takes_bytes = compiled.inputs[0].element_type == openvino.Type.u8
for path in images:
    image = Image.open(path).convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    pixels = pixels.reshape(1, height, width, channels)
    pixels = pixels.transpose(0, 3, 1, 2) if is_nchw else pixels
    scores = compiled(pixels if takes_bytes else pixels * np.float32(1 / 255))[0][0]
    print(*(scores / 256 if scores.dtype == np.uint8 else scores).tolist())
