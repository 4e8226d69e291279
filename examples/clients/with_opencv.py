"""Predict images with OpenCV's dnn: python with_opencv.py MODEL.onnx|MODEL.tflite H W C IMAGE ...

Height, width and channels are those of the model: OpenCV does not tell them. It turns a .tflite
file's input into (1, C, H, W), and leaves that of an .onnx file as it is.
"""

import sys

import cv2
import numpy as np

model, height, width, channels, *images = sys.argv[1:]
net = cv2.dnn.readNet(model)
for path in images:
    image = cv2.imread(path, cv2.IMREAD_GRAYSCALE if channels == "1" else cv2.IMREAD_COLOR)
    image = image if channels == "1" else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    pixels = cv2.resize(image, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    values = pixels.reshape(1, int(height), int(width), -1) * np.float32(1 / 255)
    net.setInput(values.transpose(0, 3, 1, 2) if model.endswith(".tflite") else values)
    print(*net.forward()[0].tolist())
