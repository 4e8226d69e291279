"""Make the tiny models beside this script again. Needs the `train` extra.

    python tests/golden/make_golden.py

A network of 12x12 grey images tells a bright lower half ("sad") from a bright upper half
("happy"). The tests run the files as they are committed, so nothing depends on making the very same
bytes again.
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from edgeemo.model.container import seal
from edgeemo.model.spec import ModelSpec, Provenance

HERE = Path(__file__).parent
SPEC = ModelSpec(
    labels=("happy", "sad"),
    height=12,
    width=12,
    channels=1,
    provenance=Provenance(edgeemo_version="0.1.0", date="2024-01-01T00:00:00+00:00"),
)


def draw_images(count, *, seed):
    """Noisy grey images (count, 12, 12, 1) float32 in [0, 1], and which half is the brighter."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, count)
    images = random.uniform(0, 1, (count, 12, 12, 1))
    lift = random.uniform(0, 0.3, (count, 1, 1, 1))
    images[truth == 0, :6] += lift[truth == 0]
    images[truth == 1, 6:] += lift[truth == 1]
    images = np.clip(images, 0, 1).astype(np.float32)
    images[:, 0, 0], images[:, 0, 1] = 0, 1  # calibration must span [0, 1]
    return images, truth


def network():
    """The network, trained for a moment, with a batch of one."""
    import keras

    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    trained = keras.Sequential([keras.Input(SPEC.input_shape), *layers])
    trained.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    trained.fit(*draw_images(2000, seed=0), epochs=15, verbose=2)
    inputs = keras.Input(batch_shape=(1, *SPEC.input_shape), name="image")
    return keras.Model(inputs, trained(inputs))


def to_tflite(model, *, int8):
    """The model as TFLite."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
        converter.representative_dataset = lambda: ([x[None]] for x in draw_images(64, seed=1)[0])
    return converter.convert()


def to_onnx(model):
    """The model as ONNX, float32."""
    import tensorflow as tf
    import tf2onnx

    @tf.function
    def forward(image):
        return model(image)

    signature = [tf.TensorSpec((1, *SPEC.input_shape), tf.float32, name="image")]
    proto, _ = tf2onnx.convert.from_function(forward, input_signature=signature, opset=18)
    return proto.SerializeToString()


def quantised(onnx_bytes):
    """A float32 ONNX model as static QDQ."""
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    name = onnx.load_model(io.BytesIO(onnx_bytes)).graph.input[0].name

    class Reader(CalibrationDataReader):
        def __init__(self):
            self._images = iter(draw_images(64, seed=1)[0])

        def get_next(self):
            image = next(self._images, None)
            return None if image is None else {name: image[None]}

    with tempfile.TemporaryDirectory() as work:
        source, target = Path(work, "float32.onnx"), Path(work, "int8.onnx")
        source.write_bytes(onnx_bytes)
        quantize_static(
            source,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


def main():
    """Write the four files."""
    model = network()
    float32_onnx = to_onnx(model)
    files = {
        "float32.tflite": to_tflite(model, int8=False),
        "int8.tflite": to_tflite(model, int8=True),
        "float32.onnx": float32_onnx,
        "int8.onnx": quantised(float32_onnx),
    }
    for name, content in files.items():
        sealed = seal(content, SPEC, format="tflite" if name.endswith("tflite") else "onnx")
        (HERE / name).write_bytes(sealed)


if __name__ == "__main__":
    main()
