"""The packages that this installation has and lacks, by extra. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata

from edgeemo.errors import install_command

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")

_PURPOSES = {
    "": "predict, evaluate, verify, bundle",
    "onnx": ".onnx files",
    "data": "edgeemo data, and pages",
    "train": "train and export",
    "tune": "tune",
    "cluster": "--cluster and --keep of predict, evaluate, data",
    "distributed": "train --workers, tune --workers",
    "faces": "OpenCV's face detectors",
    "tensorboard": "train --tensorboard",
    "mlflow": "train --track mlflow:...",
    "sign": "sign, verify-signature",
    "mqtt": "live --mqtt",
    "live": "live of video files, USB cameras and RTSP",
    "serve": "serve",
    "openvino": "bench of .onnx files in OpenVINO",
}


@dataclass(frozen=True, kw_only=True)
class ExtraState:
    """An extra of edgeemo, and its packages, without those of the extras that it contains.

    Attributes:
        extra: Its name; "" for what every installation has.
        purpose: What needs it.
        installed: Version of each of its packages that is installed.
        missing: Its packages that are not installed.
        command: The command that installs them for the interpreter that runs; "" if none is
            missing.
    """

    extra: str
    purpose: str
    installed: dict[str, str]
    missing: tuple[str, ...]
    command: str


def list_extras() -> list[ExtraState]:
    """Return the state of every extra, what every installation has first.

    Returns:
        Nothing where edgeemo runs without being installed.
    """
    try:
        requirements = metadata.requires("edgeemo") or []
    except metadata.PackageNotFoundError:
        return []
    packages: dict[str, list[str]] = {"": []}
    for text in requirements:
        found, named = _EXTRA.search(text), _NAME.match(text)
        if named and named[0] != "edgeemo":
            packages.setdefault(found[1] if found else "", []).append(named[0])
    return [_describe(extra, names) for extra, names in packages.items()]


def _describe(extra: str, names: list[str]) -> ExtraState:
    versions = {name: _find_version(name) for name in dict.fromkeys(names)}
    missing = tuple(name for name, version in versions.items() if not version)
    return ExtraState(
        extra=extra,
        purpose=_PURPOSES.get(extra, ""),
        installed={name: version for name, version in versions.items() if version},
        missing=missing,
        command=install_command(missing[0], extra=extra) if missing else "",
    )


def _find_version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
