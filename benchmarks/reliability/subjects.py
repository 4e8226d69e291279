"""What several parts attack: the shipped model, and bundles of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "models" / "happy-sad"


def make_face_bundle(folder: Path) -> Path:
    """Make a bundle of the shipped model that detects faces, in a process of its own.

    A process that did so itself would hand its memory down to those that it measures.
    """
    path, model = folder / "faces.pyz", SHIPPED / "int8.tflite"
    command = [sys.executable, "-m", "edgeemo", "bundle", "--quiet", str(model), "--faces"]
    subprocess.run([*command, "--out", str(path)], check=True, stdout=subprocess.DEVNULL)
    return path
