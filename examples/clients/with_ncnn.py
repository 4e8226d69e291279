"""Predict images with ncnn: python with_ncnn.py MODEL.onnx H W C IMAGE ...

Height, width and channels are those of the model: ncnn does not tell them.
"""

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import ncnn
import numpy as np
from PIL import Image

model, height, width, channels, *images = sys.argv[1:]
net = ncnn.Net()
with tempfile.TemporaryDirectory() as folder:
    shutil.copy(model, f"{folder}/model.onnx")  # pnnx writes beside it
    pnnx = Path(find_spec("pnnx").origin).with_name("pnnx")  # a program inside the package
    subprocess.run([pnnx, "model.onnx"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    net.load_param(f"{folder}/model.ncnn.param")
    net.load_model(f"{folder}/model.ncnn.bin")
for path in images:
    image = Image.open(path).convert("L" if channels == "1" else "RGB")
    pixels = np.asarray(image.resize((int(width), int(height)), Image.Resampling.BILINEAR))
    values = pixels.reshape(int(height), int(width), int(channels)) * np.float32(1 / 255)
    with net.create_extractor() as extractor:
        extractor.input("in0", ncnn.Mat(values).clone())
        print(*np.ravel(np.array(extractor.extract("out0")[1])).tolist())
