"""Predict images with TensorFlow Lite Micro: python with_tflite_micro.py MODEL.tflite IMAGE ..."""

import sys

import numpy as np
from PIL import Image
from tflite_micro import runtime

model, *images = sys.argv[1:]
interpreter = runtime.Interpreter.from_file(model)
source, target = interpreter.get_input_details(0), interpreter.get_output_details(0)
_, height, width, channels = source["shape"]
for path in images:
    image = Image.open(path).convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    values = pixels if source["dtype"] == np.uint8 else pixels * np.float32(1 / 255)
    interpreter.set_input(values.reshape(source["shape"]), 0)
    interpreter.invoke()
    scores = interpreter.get_output(0)[0]
    if target["dtype"] != np.float32:
        (scale,), (zero_point,) = (
            target["quantization_parameters"][name] for name in ("scales", "zero_points")
        )
        scores = (scores.astype(float) - zero_point) * scale
    print(*scores.tolist())
