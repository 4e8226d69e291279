"""Predict images with MediaPipe: python with_mediapipe.py MODEL.tflite IMAGE ..."""

import sys

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from PIL import Image

model, *images = sys.argv[1:]
options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=model))
with vision.ImageClassifier.create_from_options(options) as classifier:
    for path in images:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels)
        categories = classifier.classify(image).classifications[0].categories
        print(*(f"{found.category_name}={found.score}" for found in categories))
