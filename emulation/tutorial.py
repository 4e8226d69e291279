"""Predict as tutorials do, on the emulated machine: full decode, stretch, divide by 255.

    python3 tutorial.py float32.tflite IMAGE RUNS

Prints one JSON list: the instructions of each run after the first, from the image's bytes to the
network's outputs.
"""

import io
import json
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image


def _main(model: str, image: str, runs: int) -> None:
    interpreter = Interpreter(model_path=model, num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    _, height, width, channels = source["shape"]
    with open(image, "rb") as stream:
        content = stream.read()
    counts = []
    for _ in range(runs + 1):
        start = time.perf_counter_ns()
        opened = Image.open(io.BytesIO(content)).convert("L" if channels == 1 else "RGB")
        pixels = np.asarray(opened.resize((width, height), Image.Resampling.BILINEAR))
        values = pixels.reshape(1, height, width, channels).astype(np.float32) / 255
        interpreter.set_tensor(source["index"], values)
        interpreter.invoke()
        interpreter.get_tensor(target["index"])
        counts.append(time.perf_counter_ns() - start)
    print(json.dumps(counts[1:]))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
