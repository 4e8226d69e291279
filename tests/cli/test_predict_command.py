from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
MODEL = GOLDEN / "int8.tflite"


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal in which the path of a temporary file fits beside the other columns."""
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture
def faces(tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    for index, name in enumerate(("a.jpg", "b.png", "c.bmp")):
        Image.new("RGB", (30, 40), (80 * index, 40, 90)).save(folder / name)
    return folder


def test_a_table_for_people(edgeemo, faces):
    shown = edgeemo("predict", faces, "--model", MODEL)
    assert shown.status == 0
    lines = shown.out.splitlines()
    assert lines[0].split() == ["label", "p", "ms", "image"]
    assert [Path(line.split()[-1]).name for line in lines[1:]] == ["a.jpg", "b.png", "c.bmp"]
    assert "not verified" in shown.err
    assert "3 predicted" in shown.err


def test_a_copy_that_cannot_be_drawn_is_an_error_of_its_image(
    edgeemo, faces, tmp_path, monkeypatch
):
    from edgeemo.runtime import annotate

    draw = annotate._draw_all

    def draw_but_one(image, predictions):
        if image.getpixel((0, 0))[0] > 120:
            raise MemoryError("no room for the text")
        return draw(image, predictions)

    monkeypatch.setattr(annotate, "_draw_all", draw_but_one)
    shown = edgeemo("predict", faces, "--model", MODEL, "--annotate", tmp_path / "seen")
    assert shown.status == 1
    assert len(shown.out.splitlines()) == 4
    assert f"error: {faces / 'c.bmp'}: its predictions cannot be drawn (no room" in shown.err
    assert len(list((tmp_path / "seen").iterdir())) == 2


def test_json_lines_for_programs(edgeemo, faces):
    shown = edgeemo("predict", faces, "--model", MODEL, "--json")
    answers = [json.loads(line) for line in shown.out.splitlines()]
    assert [set(answer) for answer in answers] == [{"file", "label", "score", "scores", "ms"}] * 3
    assert [answer["file"] for answer in answers] == sorted(map(str, faces.iterdir()))


def test_several_workers_print_the_same_in_the_same_order(edgeemo, faces):
    (faces / "b.jpg").write_bytes(b"broken")
    seen = {}
    for workers in (1, 3):
        shown = edgeemo("predict", faces, "--model", MODEL, "--json", "--workers", workers)
        assert shown.status == 1
        answers = [json.loads(line) for line in shown.out.splitlines()]
        seen[workers] = [{**answer, "ms": 0} for answer in answers]
    assert seen[3] == seen[1]
    assert [Path(answer["file"]).name for answer in seen[1]] == ["a.jpg", "b.jpg", "b.png", "c.bmp"]


def test_csv_for_spreadsheets(edgeemo, faces):
    (faces / "d.jpg").write_bytes(b"broken")
    shown = edgeemo("predict", faces, "--model", MODEL, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(shown.out)))
    assert shown.status == 1
    assert [row["label"] == "" for row in rows] == [False, False, False, True]
    assert "not an image" in rows[3]["error"]
    assert float(rows[0]["p(happy)"]) + float(rows[0]["p(sad)"]) == pytest.approx(1)


def test_every_file_gives_the_same_labels(edgeemo, faces):
    labels = {}
    for name in ("float32.tflite", "int8.tflite", "float32.onnx", "int8.onnx"):
        shown = edgeemo("predict", faces, "--model", GOLDEN / name, "--json")
        labels[name] = [json.loads(line)["label"] for line in shown.out.splitlines()]
    assert len(set(map(tuple, labels.values()))) == 1


def test_a_folder_answers_with_its_default_file(edgeemo, faces, tmp_path):
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    shutil.copy(GOLDEN / "float32.onnx", folder)
    shutil.copy(MODEL, folder)
    warned = edgeemo("predict", faces / "a.jpg", "--model", folder).err
    assert f"{folder}/float32.onnx is not verified" in warned
    (folder / "default.json").write_text('{"file": "int8.tflite"}')
    warned = edgeemo("predict", faces / "a.jpg", "--model", folder).err
    assert f"{folder}/int8.tflite is not verified" in warned


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["predict", "x.jpg", "--model", "gone.tflite"], 1, "gone.tflite: no such file or folder"),
        (["predict", "x.jpg", "--model", "gone"], 1, "gone: no such file or folder"),
        (["predict", "x.jpg", "--model", MODEL], 1, "x.jpg: cannot be read: No such file"),
        (["predict", "x.jpg", "--model", GOLDEN], 0, ""),
        (["predict", "x.jpg"], 1, "x.jpg: cannot be read: No such file"),
        (["predict"], 2, "missing argument"),
        (["predict", "x.jpg", "--threads", "0"], 2, "threads"),
        (["predict", "x.jpg", "--workers", "0"], 2, "workers"),
        (["predict", ".", "--model", MODEL], 1, "no image found"),
        (["predict", "x.jpg", "--model", "my.keras"], 1, "my.keras: no such file"),
        (["unknown"], 2, "unknown"),
    ],
)
def test_mistakes_end_in_one_line(edgeemo, tmp_path, monkeypatch, words, status, said):
    monkeypatch.chdir(tmp_path)
    if words[-1] is GOLDEN:
        Image.new("RGB", (9, 9)).save("x.jpg")
    shown = edgeemo(*words)
    assert shown.status == status
    assert said in shown.err


def test_a_reader_that_stops_early_is_no_error(faces):
    command = f"{sys.executable} -m edgeemo.cli.start predict --json --model {MODEL}"
    shown = subprocess.run(
        f"yes {faces}/a.jpg | {command} - | head -n 1",
        shell=True, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(shown.stdout)["label"]
    assert "Traceback" not in shown.stderr


def test_names_that_are_not_text_are_printed_all_the_same(edgeemo, faces):
    odd = os.fsencode(faces) + b"/\xff.jpg"
    shutil.copy(faces / "a.jpg", odd)
    shown = edgeemo("predict", faces, "--model", MODEL)
    assert shown.status == 0
    assert "\\udcff.jpg" in shown.out


def test_no_heavy_package_is_loaded(faces):
    code = (
        "import sys; from edgeemo.cli.start import main\n"
        f"sys.argv = ['edgeemo', 'predict', '{faces}/a.jpg', '--model', '{MODEL}']\n"
        "try: main()\n"
        "except SystemExit as ended: print(ended.code)\n"
        "print({'tensorflow', 'keras', 'onnx', 'matplotlib', 'scipy'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-2:] == ["0", "set()"]


def test_a_full_disk_is_one_line(faces):
    command = [sys.executable, "-m", "edgeemo.cli.start", "predict", faces, "--model", MODEL]
    with Path("/dev/full").open("w") as full:
        shown = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert shown.returncode == 1
    assert shown.stderr.splitlines()[-1] == "error: No space left on device"


@pytest.fixture
def half_sure(hesitant, tmp_path):
    """A model that is not sure of b.png alone."""
    return hesitant("int8.tflite", tmp_path, 0.54)


def test_a_table_shows_what_it_is_not_sure_of(edgeemo, faces, half_sure):
    shown = edgeemo("predict", faces, "--model", half_sure)
    assert shown.status == 0
    lines = shown.out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["happy", "not sure (sad)", "sad"]
    assert len({line.rindex("  ") for line in lines}) == 1  # the columns stay aligned
    assert "2 predicted (1 happy, 1 sad), 1 not sure, 0 could not be read" in shown.err


def test_json_tells_only_what_is_not_sure(edgeemo, faces, half_sure):
    shown = edgeemo("predict", faces, "--model", half_sure, "--json")
    answers = [json.loads(line) for line in shown.out.splitlines()]
    assert [answer["label"] for answer in answers] == ["happy", "not sure", "sad"]
    assert [answer.get("sure", True) for answer in answers] == [True, False, True]
    assert answers[1]["guess"] == "sad"
    assert "guess" not in answers[0]


def test_csv_keeps_its_columns(edgeemo, faces, half_sure):
    plain = edgeemo("predict", faces, "--model", MODEL, "--format", "csv").out.splitlines()
    shown = edgeemo("predict", faces, "--model", half_sure, "--format", "csv").out.splitlines()
    assert shown[0] == plain[0]
    rows = list(csv.DictReader(shown))
    assert [row["label"] for row in rows] == ["happy", "not sure", "sad"]
    assert rows[1]["score"] == rows[1]["p(sad)"]


def test_not_sure_of_anything_is_no_failure(edgeemo, faces, hesitant, tmp_path):
    shown = edgeemo("predict", faces, "--model", hesitant("int8.tflite", tmp_path, 0.99))
    assert shown.status == 0
    assert "0 predicted (none), 3 not sure" in shown.err


class TestFaces:
    """Any model with --faces: the golden one was never trained on a face, and need not be."""

    @pytest.fixture
    def wall(self, tmp_path):
        path = tmp_path / "wall.png"
        Image.new("RGB", (300, 200), "grey").save(path)
        return path

    def test_every_face_is_a_row_and_none_is_no_error(self, edgeemo, data_dir, wall):
        two = data_dir / "photos" / "two_people.jpg"
        shown = edgeemo("predict", two, wall, "--model", MODEL, "--faces")
        assert shown.status == 0
        heading, *rows = shown.out.splitlines()
        assert heading.split() == ["label", "p", "ms", "face", "image"]
        assert [Path(row.split()[-1]).name for row in rows] == ["two_people.jpg"] * 2 + ["wall.png"]
        assert rows[2].startswith("no face")
        assert "2 predicted" in shown.err
        assert "1 without a face" in shown.err

    def test_json_lines_hold_boxes(self, edgeemo, data_dir, wall):
        two = data_dir / "photos" / "two_people.jpg"
        shown = edgeemo("predict", two, wall, "--model", MODEL, "--faces", "--json")
        people, nobody = (json.loads(line) for line in shown.out.splitlines())
        assert nobody["faces"] == []
        assert [set(face) for face in people["faces"]] == [{"label", "score", "scores", "box"}] * 2
        with Image.open(two) as image:
            for left, top, width, height in (face["box"] for face in people["faces"]):
                assert 0 < left < left + width < image.width
                assert -height < 4 * top < 4 * (top + height) < 4 * image.height  # above it, too

    def test_csv_has_a_row_per_face(self, edgeemo, data_dir, wall):
        two = data_dir / "photos" / "two_people.jpg"
        shown = edgeemo("predict", two, wall, "--model", MODEL, "--faces", "--format", "csv")
        rows = list(csv.DictReader(io.StringIO(shown.out)))
        assert [row["label"] == "no face" for row in rows] == [False, False, True]
        assert [bool(row["left"]) for row in rows] == [True, True, False]

    def test_copies_are_annotated(self, edgeemo, data_dir, wall, tmp_path):
        two, out = data_dir / "photos" / "two_people.jpg", tmp_path / "seen"
        shown = edgeemo("predict", two, wall, "--model", MODEL, "--faces", "--annotate", out)
        assert shown.status == 0
        assert sorted(path.name for path in out.iterdir()) == ["two_people.jpg", "wall.png"]
        with Image.open(two) as before, Image.open(out / "two_people.jpg") as after:
            assert before.size == after.size
            assert ImageChops.difference(before.convert("RGB"), after).getbbox() is not None

    def test_an_image_on_standard_input_is_annotated(self, edgeemo, data_dir, tmp_path):
        command = [sys.executable, "-m", "edgeemo.cli.start", "predict", "-", "--faces"]
        command += ["--model", str(MODEL), "--annotate", str(tmp_path / "seen")]
        content = (data_dir / "photos" / "obama_small.jpg").read_bytes()
        ran = subprocess.run(command, input=content, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert [path.name for path in (tmp_path / "seen").iterdir()] == ["image.jpg"]

    def test_images_of_one_name_get_a_number(self, edgeemo, faces, tmp_path):
        other = tmp_path / "other"
        shutil.copytree(faces, other)
        edgeemo("predict", faces, other, "--model", MODEL, "--annotate", tmp_path / "seen")
        names = sorted(path.name for path in (tmp_path / "seen").iterdir())
        assert names == ["a-2.jpg", "a.jpg", "b-2.png", "b.png", "c-2.png", "c.png"]

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--face-detector", "blase"), "did you mean 'blaze'"),
            (
                ("--face-detector", "yunet"),
                "yunet requires its file: --face-model FILE",
            ),
            (("--face-margin", "7"), "must be -0.3 to 2"),
            (("--face-score", "7"), "must be 0 to 1"),
            (
                ("--face-detector", "cascade", "--face-score", "0.7"),
                "detector cascade has no scores",
            ),
            (("--no-faces", "--face-margin", "0.1"), "--no-faces excludes --face-detector"),
        ],
    )
    def test_nonsense_is_refused(self, edgeemo, faces, options, said):
        shown = edgeemo("predict", faces, "--model", MODEL, *options)
        assert shown.status == 2
        assert said in " ".join(shown.err.replace("│", " ").split())

    def test_a_face_model_that_is_none(self, edgeemo, faces, tmp_path):
        file = tmp_path / "yunet.onnx"
        file.write_bytes(b"hello")
        shown = edgeemo("predict", faces, "--model", MODEL, "--face-model", file)
        assert shown.status == 1
        assert "not an ONNX file" in shown.err


def test_without_a_model_the_one_that_ships_answers(edgeemo, tmp_path, monkeypatch, photos):
    monkeypatch.chdir(tmp_path)
    shown = edgeemo("predict", photos / "happy", "--json")
    assert shown.status == 0
    assert "model: happy-sad, which edgeemo includes" in shown.err
    assert "not verified" not in shown.err
    answers = [json.loads(line) for line in shown.out.splitlines()]
    labels = {face["label"] for each in answers for face in each["faces"]}
    assert labels <= {"happy", "neither", "sad"}
    (none,) = [each for each in answers if each["file"].endswith("none.png")]
    assert none["faces"] == []
    named = edgeemo("predict", photos / "happy", "--json", "--model", "happy-sad")
    assert [json.loads(line)["faces"] for line in named.out.splitlines()] == [
        each["faces"] for each in answers
    ]
    assert "comes with edgeemo" not in named.err


@pytest.mark.parametrize("format", ["table", "jsonl", "csv"])
def test_a_name_can_neither_steer_a_terminal_nor_run_in_a_spreadsheet(
    edgeemo, tmp_path, monkeypatch, format
):
    monkeypatch.chdir(tmp_path)
    names = ["a\x1b[31m.png", "b\nc.png", "\u202egnp.d.png", "=e.png", "x\x1b]0;title\x07.png"]
    for name in names:
        Image.new("RGB", (30, 40)).save(name)
    (tmp_path / names[-1]).write_text("no image")
    shown = edgeemo("predict", *names, "--model", MODEL, "--format", format)
    assert shown.status == 1
    assert all(text.isprintable() for text in (shown.out + shown.err).splitlines())
    lines = shown.out.splitlines()
    if format == "csv":
        records = list(csv.reader(io.StringIO(shown.out, newline="")))
        assert {len(record) for record in records} == {len(records[0])}
        assert [record[0] for record in records].count("b\nc.png") == 1
        assert len(records) == 6
    else:
        assert len(lines) == 5
    if format == "jsonl":
        assert [json.loads(line)["file"] for line in lines] == names
    else:
        assert "a\\x1b[31m.png" in shown.out
        assert "\\u202egnp.d.png" in shown.out
    if format == "csv":
        assert "'=e.png" in {row[0] for row in csv.reader(lines)}


NAMES = [
    "a\nb.png",
    "c\rd.png",
    "e\r\nf.png",
    'g"h.png',
    "i,j.png",
    "k\tl.png",
    " m .png",
    "'=n.png",
]


def test_csv_gives_every_name_back(edgeemo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        Image.new("RGB", (30, 40)).save(name)
    shown = edgeemo("predict", *NAMES, "--model", MODEL, "--format", "csv")
    names = [row[0] for row in csv.reader(io.StringIO(shown.out, newline=""))]
    assert names == ["file", *NAMES[:-1], "''=n.png"]


def test_csv_on_a_terminal_has_no_line_end_in_a_name(edgeemo, tmp_path, monkeypatch):
    from edgeemo.cli.output import predict

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(predict, "_is_terminal", lambda: True)
    Image.new("RGB", (30, 40)).save(NAMES[1])
    shown = edgeemo("predict", NAMES[1], "--model", MODEL, "--format", "csv")
    assert shown.out.splitlines()[1].startswith("c\\rd.png,")


@pytest.mark.parametrize("suffix", ["jfif", "JPE", "jpeg", "pjpeg", "dib", "apng", "GIF", "webp"])
def test_every_suffix_that_the_data_commands_know_is_searched_for(edgeemo, tmp_path, suffix):
    folder = tmp_path / "faces"
    folder.mkdir()
    Image.new("RGB", (30, 40), (9, 99, 200)).save(folder / f"a.{suffix}", "PNG")
    shown = edgeemo("predict", folder, "--model", MODEL, "--json")
    assert shown.status == 0
    assert Path(json.loads(shown.out)["file"]).name == f"a.{suffix}"


@pytest.mark.parametrize("format", ["table", "jsonl", "csv"])
def test_other_files_of_a_folder_are_counted_in_one_line(edgeemo, faces, format):
    for name in ("d.heic", "e.HEIC", "f.avif", "notes", ".hidden.tif", "Thumbs.db"):
        (faces / name).write_bytes(b"something")
    shown = edgeemo("predict", faces, "--model", MODEL, "--format", format)
    assert shown.status == 0
    line = "4 other files passed over (2 .heic, 1 no suffix, 1 .avif): JPEG, PNG, BMP, WebP and GIF"
    assert [line in each for each in shown.err.splitlines()].count(True) == 1


def test_a_folder_of_other_files_says_which(edgeemo, tmp_path):
    (tmp_path / "a.heic").write_bytes(b"something")
    shown = edgeemo("predict", tmp_path, "--model", MODEL)
    assert shown.status == 1
    assert "1 other file passed over (1 .heic)" in shown.err
    assert "no image found" in shown.err


@pytest.mark.parametrize("letter", ["x", "ö"])
def test_copies_of_long_names_are_written_under_shorter_ones(edgeemo, tmp_path, letter):
    folder, seen = tmp_path / "faces", tmp_path / "seen"
    for number, suffix in enumerate((".jpg", ".png", ".webp", ".jpg")):
        place = folder / str(number)
        place.mkdir(parents=True)
        name = letter * ((255 - len(suffix)) // len(letter.encode()))
        Image.new("RGB", (30, 40)).save(place / f"{name}{suffix}", "PNG")
    Image.new("RGB", (30, 40)).save(folder / "y.png")
    shown = edgeemo("predict", folder, "--model", MODEL, "--annotate", seen)
    assert shown.status == 0
    assert len(list(seen.iterdir())) == 5
    assert not [path for path in seen.iterdir() if path.name.startswith(".")]


def test_a_name_that_the_file_system_refuses_costs_that_copy_only(
    edgeemo, faces, tmp_path, monkeypatch
):
    import errno

    from edgeemo.runtime.annotate import Annotator

    write = Annotator.write

    def refuse(annotator, source, predictions):
        if Path(source).name == "b.png":
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        return write(annotator, source, predictions)

    monkeypatch.setattr(Annotator, "write", refuse)
    shown = edgeemo("predict", faces, "--model", MODEL, "--annotate", tmp_path / "seen")
    assert shown.status == 1
    assert "b.png: its copy cannot be written: File name too long" in shown.err
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == ["a.jpg", "c.png"]
