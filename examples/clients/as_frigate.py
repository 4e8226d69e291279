"""Predict images as Frigate does: python as_frigate.py MODEL.tflite IMAGE ...

Its custom classification reads labelmap.txt beside the model, always gives 224 x 224 pixels of
uint8 RGB, divides the raw output by its sum, and pairs value i with line i.
"""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

model, *images = sys.argv[1:]
labels = Path(model).with_name("labelmap.txt").read_text(encoding="utf-8").splitlines()
interpreter = Interpreter(model)
interpreter.allocate_tensors()
source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
for path in images:
    pixels = np.asarray(Image.open(path).convert("RGB").resize((224, 224)))
    interpreter.set_tensor(source["index"], pixels[None])
    interpreter.invoke()
    scores = interpreter.get_tensor(target["index"])[0]
    shares = scores / scores.sum()
    print(*(f"{label}={share}" for label, share in zip(labels, shares, strict=False)))
