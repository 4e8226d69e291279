"""Predict images with OpenCV's blobFromImage: python with_opencv_blob.py MODEL H W C IMAGE ...

A blob is (1, C, H, W): for ONNX it takes a file that `edgeemo export --layout nchw` made.
"""

import sys

import cv2

model, height, width, channels, *images = sys.argv[1:]
net = cv2.dnn.readNet(model)
for path in images:
    image = cv2.imread(path, cv2.IMREAD_GRAYSCALE if channels == "1" else cv2.IMREAD_COLOR)
    blob = cv2.dnn.blobFromImage(image, 1 / 255, (int(width), int(height)), swapRB=channels == "3")
    net.setInput(blob)
    print(*net.forward()[0].tolist())
