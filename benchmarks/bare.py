"""Predict an image with the least code. `python bare.py MODEL.tflite IMAGE`."""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
_, height, width, channels = source["shape"]
image = Image.open(sys.argv[2])
mode = "L" if channels == 1 else "RGB"
image.draft(mode, (width, height))
image = image.convert(mode).resize((width, height), Image.Resampling.BILINEAR)
pixels = np.asarray(image).reshape(1, height, width, channels)
if source["dtype"] == np.float32:
    pixels = pixels * np.float32(1 / 255)
interpreter.set_tensor(source["index"], pixels)
interpreter.invoke()
print(interpreter.get_tensor(target["index"]))
