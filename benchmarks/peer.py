"""Predict images in one way, in a process of its own; `benchmarks/peers.py` starts and times it.

    python benchmarks/peer.py NAME MODEL_FOLDER IMAGE

It predicts the image and prints the probability of the second class. Then it reads lines from
standard input, each the paths of images, predicts them, and prints a JSON list of [probability,
milliseconds of decoding and resizing, milliseconds of inference]. Every peer uses one thread; the
milliseconds are processor time, which other processes disturb least. A peer imports its packages
when it is made, so that it pays for no other.
"""

from __future__ import annotations

import io
import json
import sys
import time

MISSING = 9
"""Exit status where a package that the peer needs is not installed."""


class Edgeemo:
    """edgeemo's runtime: decoding at a reduced scale where that is possible, one function for all.

    Args:
        folder: The model folder.
        file: The exported file.
    """

    def __init__(self, folder, file):
        from edgeemo import Classifier
        from edgeemo.imaging.preprocess import preprocess

        self._classifier = Classifier.load(f"{folder}/{file}", threads=1)
        self._preprocess = preprocess

    def prepare(self, content):
        """Return the network's input, from a file's bytes."""
        return self._preprocess(content, self._classifier.spec)

    def infer(self, pixels):
        """Return the probability of the second class."""
        return list(self._classifier.predict_pixels(pixels).scores.values())[1]


class Reference:
    """The reference model: the Keras model with edgeemo's preprocessing."""

    def __init__(self, folder, file):
        from pathlib import Path

        from edgeemo.imaging.preprocess import preprocess
        from edgeemo.model.folder import ModelFolder
        from edgeemo.model.keras_engine import KerasEngine

        one_tensorflow_thread()
        self._spec = ModelFolder(Path(folder)).read_spec()
        self._engine = KerasEngine(ModelFolder(Path(folder)))
        self._preprocess = preprocess

    def prepare(self, content):
        return self._preprocess(content, self._spec)

    def infer(self, pixels):
        return self._spec.scores(self._engine.run(pixels))[1]


class KerasPredict:
    """Keras' own way: `load_img` (whose resizing takes the nearest pixel), / 255, `predict`."""

    def __init__(self, folder, file):
        one_tensorflow_thread()
        import keras

        self._utils = keras.utils
        self._model = keras.models.load_model(f"{folder}/{file}", compile=False)
        self._size = self._model.input_shape[1:3]

    def prepare(self, content):
        image = self._utils.load_img(io.BytesIO(content), target_size=self._size)
        return self._utils.img_to_array(image)[None] / 255

    def infer(self, values):
        return float(self._model.predict(values, verbose=0)[0, 0])


class PillowSource:
    """Pillow as the examples of the engines use it: full decoding, then resizing.

    Args:
        resample: Name of Pillow's filter; None for the default of `resize`, which is bicubic.
    """

    def __init__(self, size, resample="BILINEAR"):
        import numpy as np
        from PIL import Image

        self._np, self._open, self._size = np, Image.open, size
        self._filter = Image.Resampling[resample] if resample else None

    def uint8(self, content):
        """(1, H, W, 3) uint8."""
        image = self._open(io.BytesIO(content)).convert("RGB").resize(self._size, self._filter)
        return self._np.asarray(image)[None]

    def float32(self, content):
        """(1, H, W, 3) float32 in [0, 1]."""
        return self.uint8(content).astype(self._np.float32) / 255


class OpenCVSource:
    """OpenCV: full decoding, BGR to RGB, bilinear without anti-aliasing."""

    def __init__(self, size):
        import cv2
        import numpy as np

        cv2.setNumThreads(1)
        self._cv2, self._np, self._size = cv2, np, size

    def float32(self, content):
        encoded = self._np.frombuffer(content, self._np.uint8)
        image = self._cv2.imdecode(encoded, self._cv2.IMREAD_COLOR)
        rgb = self._cv2.cvtColor(image, self._cv2.COLOR_BGR2RGB)
        small = self._cv2.resize(rgb, self._size)
        return (small.astype(self._np.float32) / 255)[None]


class TensorFlowSource:
    """TensorFlow's own operations: `decode_jpeg`, `tf.image.resize`."""

    def __init__(self, size):
        one_tensorflow_thread()
        import tensorflow as tf

        self._tf, self._size = tf, size[::-1]

    def float32(self, content):
        image = self._tf.io.decode_jpeg(content, channels=3)
        return (self._tf.image.resize(image, self._size)[None] / 255).numpy()


class Interpreter:
    """A .tflite file in an interpreter, and images from a source.

    Args:
        folder: The model folder.
        file: The .tflite file.
        tensorflow: Whether it is TensorFlow's interpreter, as in the tutorials, or LiteRT's.
        source: What makes an image the input, from its size (width, height).
    """

    def __init__(self, folder, file, *, tensorflow, source):
        if tensorflow:
            one_tensorflow_thread()
            from tensorflow.lite.python.interpreter import Interpreter as Engine
        else:
            from ai_edge_litert.interpreter import Interpreter as Engine
        self._engine = Engine(model_path=f"{folder}/{file}", num_threads=1)
        self._engine.allocate_tensors()
        self._input, self._output = (
            details[0]
            for details in (self._engine.get_input_details(), self._engine.get_output_details())
        )
        _, height, width, _ = map(int, self._input["shape"])
        made = source((width, height))
        self.prepare = made.uint8 if file.startswith("int8") else made.float32

    def infer(self, values):
        self._engine.set_tensor(self._input["index"], values)
        self._engine.invoke()
        raw = self._engine.get_tensor(self._output["index"])[0, 0]
        scale, zero_point = self._output["quantization"]
        return (float(raw) - zero_point) * scale if scale else float(raw)


class OnnxRuntime:
    """An .onnx file in ONNX Runtime, images from Pillow."""

    def __init__(self, folder, file):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            f"{folder}/{file}", options, providers=["CPUExecutionProvider"]
        )
        (takes,) = self._session.get_inputs()
        self._name = takes.name
        self.prepare = PillowSource((takes.shape[2], takes.shape[1])).float32

    def infer(self, values):
        return float(self._session.run(None, {self._name: values})[0][0, 0])


class OpenVINO:
    """An .onnx or .tflite file in OpenVINO, images from Pillow."""

    def __init__(self, folder, file):
        import openvino

        settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
        self._model = openvino.Core().compile_model(f"{folder}/{file}", "CPU", settings)
        _, height, width, _ = self._model.inputs[0].shape
        source = PillowSource((width, height))
        self.prepare = source.uint8 if file == "int8.tflite" else source.float32

    def infer(self, values):
        return float(self._model(values)[0][0, 0])


class Ncnn:
    """What pnnx made of the .onnx file, in ncnn, images from Pillow.

    Args:
        folder: The model folder.
        file: Path of the converted network without its suffix.
    """

    def __init__(self, folder, file):
        import ncnn

        from edgeemo.model.container import unseal

        self._ncnn, self._net = ncnn, ncnn.Net()
        self._net.opt.num_threads = 1
        self._net.load_param(f"{file}.param")
        self._net.load_model(f"{file}.bin")
        spec = unseal(f"{folder}/float32.onnx").spec
        self._float32 = PillowSource((spec.width, spec.height)).float32

    def prepare(self, content):
        return self._float32(content)[0]

    def infer(self, values):
        with self._net.create_extractor() as extractor:
            extractor.input("in0", self._ncnn.Mat(values).clone())
            _, output = extractor.extract("out0")
            return float(output[0])


def one_tensorflow_thread():
    """Keep TensorFlow to one thread; it must be set before it computes anything."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def tutorial(source):
    """TensorFlow's interpreter behind a way of reading images."""
    return lambda folder, file: Interpreter(folder, file, tensorflow=True, source=source)


PEERS = {
    "edgeemo int8.tflite": (Edgeemo, "int8.tflite"),
    "edgeemo float32.tflite": (Edgeemo, "float32.tflite"),
    "edgeemo int8.onnx": (Edgeemo, "int8.onnx"),
    "edgeemo float32.onnx": (Edgeemo, "float32.onnx"),
    "reference model": (Reference, "model.keras"),
    "Keras load_img + predict": (KerasPredict, "model.keras"),
    "OpenCV + tf.lite float32": (tutorial(OpenCVSource), "float32.tflite"),
    "Pillow + tf.lite float32": (
        tutorial(lambda size: PillowSource(size, resample=None)), "float32.tflite"
    ),
    "tf.image + tf.lite float32": (tutorial(TensorFlowSource), "float32.tflite"),
    "Pillow + tf.lite int8": (
        tutorial(lambda size: PillowSource(size, resample=None)), "int8.tflite"
    ),
    "Pillow + LiteRT int8": (
        lambda *words: Interpreter(*words, tensorflow=False, source=PillowSource), "int8.tflite"
    ),
    "Pillow + ONNX Runtime float32": (OnnxRuntime, "float32.onnx"),
    "Pillow + ONNX Runtime int8": (OnnxRuntime, "int8.onnx"),
    "Pillow + OpenVINO float32": (OpenVINO, "float32.onnx"),
    "Pillow + OpenVINO int8": (OpenVINO, "int8.onnx"),
    "Pillow + ncnn float16 weights": (Ncnn, ""),
}  # fmt: skip
"""Name to its class and the file that it runs."""


def read(path):
    """Return the bytes of a file."""
    with open(path, "rb") as stream:  # noqa: PTH123 - pathlib is slow to import
        return stream.read()


def predict(peer, path):
    """Return (probability, ms of decoding and resizing, ms of inference)."""
    content = read(path)
    start = time.process_time()
    values = peer.prepare(content)
    middle = time.process_time()
    probability = peer.infer(values)
    end = time.process_time()
    return probability, (middle - start) * 1000, (end - middle) * 1000


def main():
    name, folder, first, *rest = sys.argv[1:]
    make, file = PEERS[name]
    try:
        peer = make(folder, file or rest[0])
    except ImportError as error:
        print(error, file=sys.stderr)
        sys.exit(MISSING)
    print(predict(peer, first)[0], flush=True)
    for line in sys.stdin:
        print(json.dumps([predict(peer, path) for path in json.loads(line)]), flush=True)


if __name__ == "__main__":
    main()
