from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from edgeemo.bench.sample_frame import draw_camera_frame
from edgeemo.bench.sample_photo import draw_photo
from edgeemo.runtime.__main__ import main
from edgeemo.runtime.inputs import expand

MODEL = str(Path(__file__).resolve().parents[1] / "golden" / "int8.tflite")


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    (folder / "deeper").mkdir(parents=True)
    for name in ("b.jpg", "a.png", "deeper/c.bmp"):
        Image.new("RGB", (20, 20), (90, 30, 10)).save(folder / name)
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.jpg").write_bytes(b"")
    return folder


def test_one_line_per_image_and_a_warning(images, capsys):
    assert main([MODEL, str(images)]) == 0
    shown = capsys.readouterr()
    names = [Path(line.split(": ")[0]).name for line in shown.out.splitlines()]
    assert names == ["a.png", "b.jpg", "c.bmp"]
    assert "not verified" in shown.err


def test_a_bad_image_is_reported_and_the_rest_continue(images, capsys):
    (images / "b.jpg").write_bytes(b"broken")
    assert main([MODEL, str(images), "--json"]) == 1
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ["error" in result for result in results] == [False, True, False]
    assert results[0]["score"] == results[0]["scores"][results[0]["label"]]


def test_a_bad_model_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "gone.tflite"), "x.jpg"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("separator", ["\n", "\0"])
def test_standard_input_may_list_paths(separator):
    names = ["a.jpg", "BM folder/b.jpg", "ä.png", "long/" * 9000 + "c.jpg"]
    stdin = io.BytesIO((separator.join(names) + separator).encode())
    assert list(expand(["-"], stdin=stdin)) == names


LISTED = ["a.jpg", "BM folder/b.jpg", "ä b.png"]


@pytest.mark.parametrize(
    "content",
    [
        "\r\n".join(LISTED).encode(),
        ("\r\n".join(LISTED) + "\r\n\r\n").encode(),
        "\r\n".join(LISTED).encode("utf-8-sig"),
        ("\r\n".join(LISTED) + "\r\n").encode("utf-16"),
        ("\n" + "\n\n".join(LISTED)).encode(),
        "\0".join(LISTED).encode(),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_lists_of_windows_and_of_find(content, step):
    class Slow(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, step))

    assert list(expand(["-"], stdin=Slow(content))) == LISTED


def test_with_nul_a_name_may_hold_line_ends():
    names = ["a\nb.jpg", "c\r", "d\r\n.png", "e\n"]
    assert list(expand(["-"], stdin=io.BytesIO("\0".join(names).encode()))) == names


def test_a_carriage_return_stays_where_it_is_part_of_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg\r").write_bytes(b"")
    stdin = io.BytesIO(b"a.jpg\r\nb.jpg\r\n")
    assert list(expand(["-"], stdin=stdin)) == ["a.jpg\r", "b.jpg"]


def test_other_files_are_counted_on_standard_error(images, capsys):
    assert main([MODEL, str(images), "--json"]) == 0
    shown = capsys.readouterr()
    assert "note: 1 other file passed over (1 .txt)" in shown.err
    assert "passed over" not in shown.out


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP", "GIF", "WEBP"])
def test_standard_input_may_be_one_image(format):
    buffer = io.BytesIO()
    Image.new("RGB", (30, 30)).save(buffer, format)
    stdin = io.BytesIO(buffer.getvalue())
    assert list(expand(["-"], stdin=stdin)) == [buffer.getvalue()]


def test_as_a_module_from_start_to_result(images):
    command = [sys.executable, "-m", "edgeemo.runtime", MODEL, "-"]
    data = (images / "a.png").read_bytes()
    shown = subprocess.run(command, input=data, capture_output=True, check=True)
    assert shown.stdout.startswith(b"-: ")


def test_a_hesitant_model_is_not_sure_and_shows_its_guess(images, hesitant, tmp_path, capsys):
    model = str(hesitant("int8.tflite", tmp_path, 0.99))
    assert main([model, str(images / "a.png")]) == 0
    assert ": not sure (" in capsys.readouterr().out
    assert main([model, str(images / "a.png"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["label"], result["sure"]) == ("not sure", False)
    assert result["score"] == result["scores"][result["guess"]]


@pytest.fixture
def photos(tmp_path):
    for name, content in {"people.jpg": draw_photo(), "wall.jpg": draw_camera_frame()}.items():
        (tmp_path / name).write_bytes(content)
    return str(tmp_path / "people.jpg"), str(tmp_path / "wall.jpg")


def test_faces_are_predicted_one_by_one_and_none_is_no_error(photos, capsys):
    assert main([MODEL, *photos, "--faces"]) == 0
    people, wall = capsys.readouterr().out.splitlines()
    assert people.count(" at ") == 2
    assert wall.startswith(f"{photos[1]}: no face (")


def test_boxes_are_in_the_json(photos, capsys):
    assert main([MODEL, *photos, "--faces", "--json", "--workers", "2"]) == 0
    people, wall = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    sides = [face["box"][2] for face in people["faces"]]
    assert len(sides) == 2
    assert sides == sorted(sides, reverse=True)
    assert set(people["faces"][0]) == {"label", "score", "scores", "box"}
    assert wall["faces"] == []


def test_without_faces_the_whole_image_is_predicted(photos, capsys):
    assert main([MODEL, photos[0], "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert main([MODEL, photos[0], "--json", "--no-faces"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"] == plain["scores"]


def test_what_finds_faces_is_loaded_only_where_they_are_found(photos):
    code = (
        "import sys; from edgeemo.runtime.__main__ import main; main(sys.argv[1:])\n"
        "print([name for name in sys.modules if name.startswith('edgeemo.imaging.faces')])"
    )
    loaded = [
        subprocess.run(
            [sys.executable, "-c", code, MODEL, photos[0], *words],
            capture_output=True, text=True, check=True,
        ).stdout.splitlines()[-1]
        for words in ([], ["--faces"])
    ]  # fmt: skip
    assert loaded[0] == "[]"
    assert "edgeemo.imaging.faces.blaze" in loaded[1]
