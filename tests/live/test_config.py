"""Options from a TOML file and the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeemo.cli.commands.live import AllLiveOptions
from edgeemo.errors import OptionError
from edgeemo.live.config import merge_options, read_config
from edgeemo.live.options import LiveFormat
from edgeemo.utils.options import option_fields

EVERYTHING = """
source = "rtsp://user:word@camera.local/stream"
model = "models/mine"
faces = false
face_score = 0.8
threads = 2
size = "320x240"
fps = 10
max_fps = 2.5
motion_gate = true
format = "csv"
mask = ["0,0,10,10", "5,5,10,10"]
clips = "kept"
no_images = true
"""


@pytest.fixture
def file(tmp_path):
    """Function (text) that writes a configuration file."""

    def write(text: str) -> Path:
        path = tmp_path / "door.toml"
        path.write_text(text)
        return path

    return write


def test_any_option_of_the_command_stands_in_a_file(file):
    options = merge_options(AllLiveOptions, {"config": file(EVERYTHING)})
    assert (options.source, options.model) == (
        "rtsp://user:word@camera.local/stream", Path("models/mine")
    )  # fmt: skip
    assert (options.faces, options.face_score, options.threads) == (False, 0.8, 2)
    assert (options.fps, options.max_fps, options.motion_gate) == (10.0, 2.5, True)
    assert (options.format, options.mask) == (LiveFormat.CSV, ("0,0,10,10", "5,5,10,10"))
    assert (options.clips, options.no_images, options.steady) == (Path("kept"), True, 0.3)
    every = {each.key for each in option_fields(AllLiveOptions).values()}
    with pytest.raises(OptionError, match=r"hoose from") as caught:
        read_config(file("zzz = 1"), AllLiveOptions)
    assert {key for key in every if f" {key}" in str(caught.value)} >= every - {"config", "list"}


def test_the_command_line_wins(file):
    given = {"config": file(EVERYTHING), "max_fps": 7.0, "faces": True, "mask": ("1,1,2,2",)}
    options = merge_options(AllLiveOptions, given)
    assert (options.max_fps, options.faces, options.mask) == (7.0, True, ("1,1,2,2",))
    given = {"config": file("json = true"), "format": LiveFormat.CSV}
    assert merge_options(AllLiveOptions, given).json is False


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("max-fps = 3", "key 'max-fps' is unknown; did you mean 'max_fps'?"),
        ("list = true", "key 'list' is unknown; "),
        ("config = 'x'", "key 'config' is unknown; "),
        ("max_fps = '3'", "max_fps must be a number, not '3'"),
        ("max_fps = 0", "max_fps must be more than 0 and at most 240, not 0"),
        ("json = 1", "json must be true or false, not 1"),
        ("format = 'jsn'", "format must be text, jsonl or csv, not 'jsn'"),
        ("mask = '0,0,1,1'", "mask must be a list of texts, not '0,0,1,1'"),
        ("mqtt = ['mqtt://u:w0rd@h']", "mqtt must be text"),
        ("[live]\nsource = 'test'", "key 'live' is unknown; "),
        ("source = ", "not TOML (Invalid value (at end of document))"),
        ("source = 'a'\nsource = 'mqtt://u:w0rd@h'", "not TOML (Cannot overwrite a value"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_file_and_without_a_password(file, text, rest):
    path = file(text)
    with pytest.raises(OptionError) as caught:
        merge_options(AllLiveOptions, {"config": path})
    shown = str(caught.value)
    assert shown.startswith(f"{path}: {rest}")
    assert "\n" not in shown
    assert "w0rd" not in shown


def test_a_file_that_cannot_be_read_is_refused(tmp_path, edgeemo):
    for path, reason in ((tmp_path / "gone.toml", "no such file"), (tmp_path, "is a directory")):
        shown = edgeemo("live", "--config", path)
        assert (shown.status, shown.out) == (2, "")
        assert shown.err.startswith(f"error: {path}: {reason}")
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    assert "not TOML" in edgeemo("live", "--config", tmp_path / "latin.toml").err


def test_a_password_in_a_file_is_not_in_the_list_of_processes(file, edgeemo_process):
    path = file('source = "test"\nwebhook = "http://user:w0rd@127.0.0.1:1/"\nseconds = 1\n')
    process = edgeemo_process("live", "--config", path, env={**os.environ, "COLUMNS": "80"})
    words = Path(f"/proc/{process.pid}/cmdline")
    listed = words.read_bytes() if words.exists() else b""
    out, err = process.communicate(timeout=30)
    assert process.returncode in (0, 1), err
    assert b"w0rd" not in listed
    assert "w0rd" not in out + err
    warning = f"warning: {path} holds a password, and others may read it: chmod 600 {path}\n"
    assert warning in err
    path.chmod(0o600)
    _, err = edgeemo_process("live", "--config", path, "--seconds", "0.1").communicate(timeout=30)
    assert "chmod" not in err
