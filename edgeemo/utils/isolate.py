"""Libraries kept from sending data and from leaving files in the user's home.

ONNX Runtime records the machine and its runs in the user's cache and reports them to its maker,
Keras writes a configuration file, matplotlib a cache of fonts. docs/privacy.md promises that
edgeemo does nothing of the kind. Standard library only.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def forbid_telemetry() -> None:
    """Forbid ONNX Runtime its telemetry, here and in child processes; before it is imported.

    Its own function for that comes too late: the import alone stores an identifier of the device.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


@contextmanager
def isolate_imports() -> Iterator[None]:
    """Import Keras and matplotlib inside the block without files of theirs in the user's home.

    A user's ``keras.json`` or ``matplotlibrc``, which could change a model or a plot, is not read.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        isolated = {"KERAS_HOME": os.devnull, "MPLCONFIGDIR": folder}
        before = {name: os.environ.get(name) for name in isolated}
        os.environ |= isolated
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
