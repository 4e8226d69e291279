"""What a device is told to type where something is missing."""

from __future__ import annotations

import sys

import pytest

from edgeemo.bundle.device import requirements
from edgeemo.errors import BundleError

_VERSIONS = {"numpy": "2.4.6", "pillow": "13.0.0", "ai-edge-litert": "2.3.0"}


def _told(
    monkeypatch,
    *,
    missing,
    bits=64,
    venv=False,
    version=(3, 11),
    engine="ai-edge-litert",
    detector="",
):
    modules = {module for name in missing for module in requirements._MODULES[name]}
    monkeypatch.setattr(requirements, "_is_importable", lambda module: module not in modules)
    monkeypatch.setattr(sys, "maxsize", 2 ** (bits - 1) - 1)
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    monkeypatch.setattr(sys, "prefix", "/venv" if venv else sys.base_prefix)
    with pytest.raises(BundleError) as raised:
        requirements.require(
            engine, versions=_VERSIONS, archive="/media/face.pyz", detector=detector
        )
    return str(raised.value)


def test_nothing_is_missing(monkeypatch):
    requirements.require("ai-edge-litert", versions={}, archive="face.pyz")
    requirements.require("onnxruntime", versions={}, archive="face.pyz")


def test_a_fresh_system(monkeypatch):
    assert _told(monkeypatch, missing=["numpy", "pillow", "ai-edge-litert"]) == (
        "numpy, pillow and ai-edge-litert are not installed: sudo apt install python3-venv && "
        "python3 -m venv ~/edgeemo && ~/edgeemo/bin/pip install numpy==2.4.6 pillow==13.0.0 "
        "ai-edge-litert==2.3.0 && "
        "~/edgeemo/bin/python face.pyz selftest"
    )


def test_inside_a_virtual_environment(monkeypatch):
    told = _told(monkeypatch, missing=["pillow", "onnxruntime"], venv=True, engine="onnxruntime")
    assert told == (
        f"pillow and onnxruntime are not installed: {sys.executable} -m pip install "
        "pillow==13.0.0 onnxruntime"
    )


def test_debians_packages_where_the_engine_is_importable(monkeypatch):
    told = _told(monkeypatch, missing=["numpy"])
    assert told == "numpy is not installed: sudo apt install python3-numpy"


def test_what_finds_faces_is_asked_for_with_the_rest(monkeypatch):
    opencv = "opencv-python-headless"
    told = _told(monkeypatch, missing=[opencv], detector=opencv)
    assert told.startswith(f"{opencv} is not installed: sudo apt install python3-venv && ")
    assert f"pip install numpy==2.4.6 pillow==13.0.0 ai-edge-litert==2.3.0 {opencv} && " in told
    told = _told(monkeypatch, missing=[opencv], detector=opencv, venv=True)
    assert told == f"{opencv} is not installed: {sys.executable} -m pip install {opencv}"
    needed = {"engine": "onnxruntime", "detector": "ai-edge-litert"}
    told = _told(monkeypatch, missing=["ai-edge-litert"], **needed)
    assert "onnxruntime ai-edge-litert==2.3.0 && " in told
    told = _told(monkeypatch, missing=[opencv], detector=opencv, bits=32)
    assert told.endswith("install the 64-bit Raspberry Pi OS")


def test_32_bits(monkeypatch):
    told = _told(monkeypatch, missing=["ai-edge-litert"], bits=32)
    assert "pip install tflite-runtime" in told
    assert "python3-numpy python3-pil" in told
    for other in ({"version": (3, 13)}, {"engine": "onnxruntime"}):
        missing = [other.get("engine", "ai-edge-litert")]
        told = _told(monkeypatch, missing=missing, bits=32, **other)
        assert told.endswith("for a 32-bit system; install the 64-bit Raspberry Pi OS")


def test_a_numpy_that_does_not_load_is_named_with_the_cause(monkeypatch, tmp_path):
    monkeypatch.setattr(requirements, "import_module", _broken)
    with pytest.raises(BundleError, match=r"^numpy is installed but cannot be loaded: libblas"):
        requirements.require("ai-edge-litert", versions={}, archive="face.pyz")


def _broken(name):
    raise ImportError("a page of advice") from ImportError("libblas.so.3:\n no such file")
