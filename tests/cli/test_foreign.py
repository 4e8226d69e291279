from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from edgeemo.cli.foreign import run_foreign
from edgeemo.errors import ExportError
from edgeemo.utils import child
from edgeemo.utils.files import replacing
from edgeemo.utils.progress import Silent


def crash_while_writing(model, place, *, progress):
    progress.stage("Converting and checking")
    with replacing(place) as partial:
        partial.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGSEGV)


def test_a_crash_is_one_line_and_leaves_nothing_behind(tmp_path, monkeypatch):
    here = str(Path(__file__).parent)
    monkeypatch.setattr(child, "_CODE", f"import sys; sys.path.insert(0, {here!r}); {child._CODE}")
    monkeypatch.setattr(crash_while_writing, "__module__", "test_foreign")
    monkeypatch.setitem(sys.modules, "test_foreign", sys.modules[__name__])
    model, place = tmp_path / "mine.keras", tmp_path / "int8.tflite"
    message = r"mine\.keras: TensorFlow crashed while converting and checking \(SIGSEGV\); "
    with pytest.raises(ExportError, match=message) as caught:
        run_foreign(crash_while_writing, model, place, places=[place], progress=Silent())
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
