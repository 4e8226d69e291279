"""Sources without a video library as they are typed."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys

import pytest

from edgeemo.live.sources.drawn import Drawing
from edgeemo.live.sources.settings import SourceSettings


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    """Drawn faces, a second apart."""
    drawing, found = Drawing(SourceSettings()), []
    for second in range(6):
        file = io.BytesIO()
        drawing.draw(second).save(file, "JPEG")
        found.append(file.getvalue())
    return found


def test_standard_input(jpegs, tmp_path):
    (tmp_path / "images").write_bytes(b"--\r\n".join(jpegs) + b"end")
    code = (
        "import sys; from edgeemo.cli.start import main; sys.argv = ['edgeemo', 'live', '-', "
        "'--json', '--fps', '1']\ntry: main()\nexcept SystemExit as end: assert not end.code\n"
        "assert not {'av', 'starlette', 'uvicorn', 'typer', 'paho'} & sys.modules.keys()"
    )
    with (tmp_path / "images").open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=file, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["frame"] for each in shown] == list(range(6))
    assert [each["time"] for each in shown] == list(range(6))
    labels = [each["faces"][0]["label"] for each in shown]
    assert labels[:4] + labels[5:] == ["happy"] * 4 + ["sad"]


def test_watched_folder(jpegs, tmp_path, edgeemo_process):
    folder = tmp_path / "in"
    folder.mkdir()
    process = edgeemo_process("live", folder, "--watch", "--json")
    while "source:" not in process.stderr.readline():
        assert process.poll() is None
    for number, jpeg in enumerate(jpegs):
        (folder / f"{number}.jpg").write_bytes(jpeg)
    (folder / "damaged.jpg").write_bytes(jpegs[0][:200])
    shown = [json.loads(process.stdout.readline()) for _ in range(len(jpegs) + 1)]
    assert {each["file"] for each in shown} == {path.name for path in folder.iterdir()}
    assert ["error" in each for each in shown] == [each["file"][0] == "d" for each in shown]
    process.send_signal(signal.SIGTERM)
    assert process.wait(3) == 0
