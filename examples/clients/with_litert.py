"""Predict images with LiteRT's interpreter: python with_litert.py MODEL.tflite IMAGE ..."""

import sys

import numpy as np
from PIL import Image

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:  # its predecessors read the same files
    try:
        from tflite_runtime.interpreter import Interpreter
    except ImportError:
        from tensorflow.lite.python.interpreter import Interpreter

model, *images = sys.argv[1:]
interpreter = Interpreter(model)
interpreter.allocate_tensors()
source = interpreter.get_input_details()[0]
target = interpreter.get_output_details()[0]
_, height, width, channels = source["shape"]
for path in images:
    image = Image.open(path).convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    values = pixels if source["dtype"] == np.uint8 else pixels * np.float32(1 / 255)
    interpreter.set_tensor(source["index"], values.reshape(source["shape"]))
    interpreter.invoke()
    scores = interpreter.get_tensor(target["index"])[0]
    if target["dtype"] != np.float32:
        scale, zero_point = target["quantization"]
        scores = (scores.astype(float) - zero_point) * scale
    print(*scores.tolist())
