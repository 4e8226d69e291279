"""Predict images with LiteRT's CompiledModel: python with_compiled_model.py MODEL IMAGE ..."""

import sys

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from PIL import Image

model, *images = sys.argv[1:]
compiled = CompiledModel.from_file(model)
key = compiled.get_signature_by_index(0)["key"]
source = compiled.get_input_tensor_details(key)["image"]
target = compiled.get_output_tensor_details(key)["prob"]
given, result = compiled.create_input_buffers(0), compiled.create_output_buffers(0)
_, height, width, channels = source["shape"]
for path in images:
    image = Image.open(path).convert("L" if channels == 1 else "RGB")
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    given[0].write(pixels if source["dtype"] == "uint8" else pixels * np.float32(1 / 255))
    compiled.run_by_index(0, given, result)
    scores = result[0].read(target["shape"][1], np.dtype(target["dtype"]).type)
    # CompiledModel does not tell the quantisation; it is 1/256 in every file of edgeemo.
    print(*(scores / 256 if scores.dtype == np.uint8 else scores).tolist())
