"""The examples of docs/api.md, run as they stand, one after the other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from edgeemo.dataset import draw_faces
from edgeemo.model.folder import shipped_folder

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


@pytest.mark.tensorflow
def test_the_examples_run(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 9
    draw_faces(tmp_path / "faces", count=40, size=48, seed=4)
    with Image.open(shipped_folder().file("golden") / "photo.jpg") as photo:
        photo.save(tmp_path / "face.jpg")
    (tmp_path / "page.py").write_text("\n".join(blocks), encoding="utf-8")
    shown = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("happy 0.")
    assert (
        "image: the array is float64, 0 to 1; give (array * 255).round().astype('uint8')" in lines
    )
    assert "gone.jpg: cannot be read: No such file or directory" in lines
    assert any(line.startswith("passed: 4 files agree") for line in lines)
    assert (tmp_path / "dist" / "api.pyz").is_file()
