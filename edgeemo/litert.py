"""LiteRT's interpreter: the only file that imports ai_edge_litert."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from edgeemo.errors import MissingExtraError
from edgeemo.loading import cannot_load, is_missing


def interpreter_class() -> Any:
    """LiteRT's, or its ancestor's on a 32-bit Raspberry Pi OS, for which LiteRT has no wheels.

    Raises:
        EngineError: If it is installed and cannot be loaded.
        MissingExtraError: If it is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except (ImportError, OSError) as error:
        if not is_missing(error, "ai_edge_litert", "ai_edge_litert.interpreter"):
            raise cannot_load("ai-edge-litert", error) from None
    else:
        return Interpreter
    try:
        return import_module("tflite_runtime.interpreter").Interpreter
    except ModuleNotFoundError:
        raise MissingExtraError(
            "ai-edge-litert", extra="litert", purpose="running a .tflite file"
        ) from None
    except ImportError as error:
        raise cannot_load("tflite-runtime", error) from None


def unshared_interpreter(content: bytes) -> Any:
    """An interpreter whose tensors share no memory, so that all can be read after a run.

    It runs TFLite's own kernels, since a delegate keeps what is inside to itself.

    Raises:
        EngineError: If LiteRT is installed and cannot be loaded.
        MissingExtraError: If it is not installed.
    """
    interpreter = interpreter_class()
    kernels = import_module(interpreter.__module__).OpResolverType
    return interpreter(
        model_content=content,
        num_threads=1,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
