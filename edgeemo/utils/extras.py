"""The packages that only some commands and options need, and the extra that installs each.

A missing one is reported before any slow work: nothing is imported to find out. Standard library
only.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from edgeemo.errors import MissingExtraError
from edgeemo.utils.options import option_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_EXTRAS = {
    "onnxruntime": ("onnxruntime", "onnx"),
    "imagehash": ("imagehash", "data"),
    "scipy": ("scipy", "data"),
    "jinja2": ("jinja2", "data"),
    "tensorflow": ("tensorflow", "train"),
    "keras": ("keras", "train"),
    "tf2onnx": ("tf2onnx", "train"),
    "onnx": ("onnx", "train"),
    "matplotlib": ("matplotlib", "train"),
    "tomli_w": ("tomli-w", "train"),
    "optuna": ("optuna", "tune"),
    "jax": ("jax", "distributed"),
    "ray": ("ray", "distributed"),
    "pyarrow": ("pyarrow", "cluster"),
    "av": ("av", "live"),
    "paho": ("paho-mqtt", "mqtt"),
    "starlette": ("starlette", "serve"),
    "uvicorn": ("uvicorn", "serve"),
    "websockets": ("websockets", "serve"),
    "python_multipart": ("python-multipart", "serve"),
    "prometheus_client": ("prometheus-client", "serve"),
    "cv2": ("opencv-python-headless", "faces"),
    "tensorboard": ("tensorboard", "tensorboard"),
    "mlflow": ("mlflow-skinny", "mlflow"),
    "openvino": ("openvino", "openvino"),
    "ai_edge_litert": ("ai-edge-litert", ""),
    "flatbuffers": ("flatbuffers", ""),
}
"""Module to the name of its package, and the extra that installs it; "" where every install has it.
"""

IMAGES = ("imagehash", "scipy")
"""Modules that read a folder of images: hashes, and near-duplicates."""

KERAS = ("tensorflow", "keras")
"""Modules that run a Keras model."""

REPORT = ("matplotlib", "jinja2")
"""Modules that write the report on a model."""

IMPORTING = (*KERAS, *IMAGES, *REPORT)
"""Modules that import a Keras model."""

TRAINING = (*IMPORTING, "tomli_w")
"""Modules that train a network and write its model folder."""

EXPORTING = {"tflite": KERAS, "onnx": ("tf2onnx", "onnx", "onnxruntime")}
"""Modules that export each format; .onnx files need those of .tflite, too."""

SERVING = ("starlette", "uvicorn", "websockets", "python_multipart", "prometheus_client")
"""Modules that serve a page and an HTTP interface."""

TUNING = ("optuna",)
"""Modules that search, besides those of training."""


def require_packages(modules: Collection[str], *, purpose: str, extra: str = "") -> None:
    """Check that packages are installed; nothing is imported.

    Args:
        modules: Names of modules, of the table above.
        purpose: What needs them, for the message, such as "training".
        extra: The extra that installs all of them; by default the one of the missing package.

    Raises:
        MissingExtraError: If one is not.
    """
    for module in modules:
        if not is_installed(module):
            raise make_missing_error(module, purpose=purpose, extra=extra)


def require_packages_of_options(
    instance: object, *, origins: Mapping[str, str] | None = None
) -> None:
    """Check that the packages are installed that the given options of a dataclass need.

    Args:
        instance: A dataclass of options, as of `edgeemo.utils.options`.
        origins: For options that were not given themselves, what set them, such as
            "--recipe focal".

    Raises:
        MissingExtraError: If one is not; the text names the option.
    """
    cls: Any = type(instance)
    for name, each in option_fields(cls).items():
        value = getattr(instance, name)
        module = each.option.needs(value) if each.option.needs and value is not None else ""
        if module:
            purpose = (origins or {}).get(name) or f"{each.flag} {value}"
            require_packages((module,), purpose=purpose)


def make_missing_error(module: str, *, purpose: str, extra: str = "") -> MissingExtraError:
    """Return the error about a module that is not installed; see `require_packages`."""
    package, own = _EXTRAS[module]
    return MissingExtraError(package, extra=extra or own, purpose=purpose)


def list_missing_packages(modules: Collection[str]) -> list[str]:
    """Return the packages of modules that are not installed, as pip calls them."""
    return [_EXTRAS[module][0] for module in modules if not is_installed(module)]


def is_installed(module: str) -> bool:
    """Return whether a module can be found; it is not imported."""
    if module in sys.modules:
        return sys.modules[module] is not None
    return find_spec(module) is not None
