"""Predict images with ONNX Runtime: python with_onnxruntime.py MODEL.onnx IMAGE ..."""

import sys

import numpy as np
import onnxruntime
from PIL import Image

model, *images = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
source = session.get_inputs()[0]
is_nchw = source.shape[1] in (1, 3)
height, width = source.shape[2:] if is_nchw else source.shape[1:3]
channels = source.shape[1 if is_nchw else 3]
for path in images:
    image = Image.open(path).convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    values = pixels.reshape(1, height, width, channels) * np.float32(1 / 255)
    values = values.transpose(0, 3, 1, 2) if is_nchw else values
    print(*session.run(None, {source.name: values})[0][0].tolist())
