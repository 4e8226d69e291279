"""A fast start loads numpy's documentation lazily, and changes nothing else."""

from __future__ import annotations

import subprocess
import sys

from edgeemo.runtime.fast_start import _DOCUMENTATION, start_fast


def _shown(code: str) -> list[str]:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout.splitlines()


def test_the_documentation_comes_when_somebody_looks():
    code = (
        "import sys; from edgeemo.runtime.fast_start import start_fast, _DOCUMENTATION\n"
        "start_fast(); import numpy\n"
        "print([name in sys.modules for name in _DOCUMENTATION])\n"
        "print(numpy.ndarray.__doc__, numpy.int16.__doc__)\n"
        "for name in _DOCUMENTATION: sys.modules[name].__doc__\n"
        "print('array' in numpy.ndarray.__doc__, 'integer' in numpy.int16.__doc__)"
    )
    assert _shown(code) == ["[True, True]", "None None", "True True"]


def test_numpy_computes_as_ever():
    work = (
        "import sys, numpy as np\n"
        "values = np.arange(12, dtype=np.uint8).reshape(3, 4) * np.float32(1 / 255)\n"
        "print(values.tobytes().hex(), np.linalg.det(values[:3, :3]), np.dtype('>i4').name)\n"
        "print(sorted(name for name in sys.modules if name.startswith('numpy')))"
    )
    fast = "from edgeemo.runtime.fast_start import start_fast; start_fast()\n"
    assert _shown(fast + work) == _shown(work)


def test_it_is_idle_once_numpy_is_there():
    import numpy as np

    finders = list(sys.meta_path)
    start_fast()
    assert sys.meta_path == finders
    assert np.ndarray.__doc__
    assert set(_DOCUMENTATION) <= set(sys.modules)
