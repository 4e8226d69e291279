"""The OpenVINO engine, which `edgeemo bench` measures: the only module that imports openvino.

Nothing predicts with it: its files are verified in ONNX Runtime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgeemo.engines.imports import (
    is_missing,
    load_error,
    name_with_version,
    prediction_error,
)
from edgeemo.engines.pool import InterpreterPool
from edgeemo.errors import EngineError, MissingExtraError
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgeemo.model.container import SealedModel


class OpenVinoEngine:
    """An ``.onnx`` file that edgeemo exported in OpenVINO, on the CPU, in float32.

    On processors with AMX OpenVINO computes in bfloat16 by default, whose probabilities differ.

    Raises:
        EngineError: If the engine refuses the file.
        MissingExtraError: If openvino is not installed.
    """

    def __init__(self, model: SealedModel, *, threads: int = 1) -> None:
        self._path, self._factor = model.path, np.float32(model.spec.scale)
        openvino = import_openvino()
        streams = max(1, usable_cores() // threads)
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": streams * threads,
            "NUM_STREAMS": streams,
        }
        try:
            compiled = openvino.Core().compile_model(model.path, "CPU", settings)
        except RuntimeError as error:
            from edgeemo.utils.text import one_line

            reason = one_line(error)
            raise EngineError(f"{model.path}: the OpenVINO engine refuses it: {reason}") from None
        self._pool = InterpreterPool(
            compiled.create_infer_request(), compiled.create_infer_request, threads=threads
        )

    @property
    def name(self) -> str:
        """Return the package and its version."""
        return name_with_version("openvino")

    def run(self, pixels: NDArray[np.uint8]) -> Sequence[float]:
        """See `edgeemo.engines.base.Engine.run`."""
        request = self._pool.take()
        try:
            (raw,) = request.infer([(pixels * self._factor)[None]]).values()
            return [float(value) for value in raw.ravel()]
        except RuntimeError as error:
            raise prediction_error(self._path, "OpenVINO", error) from None
        finally:
            self._pool.give_back(request)


def import_openvino() -> Any:
    """Import openvino.

    Raises:
        EngineError: If it is installed and cannot be loaded.
        MissingExtraError: If it is not installed.
    """
    try:
        import openvino
    except (ImportError, OSError) as error:
        if not is_missing(error, "openvino"):
            raise load_error("openvino", error) from None
        raise MissingExtraError(
            "openvino", extra="openvino", purpose="measuring with OpenVINO"
        ) from None
    return openvino
