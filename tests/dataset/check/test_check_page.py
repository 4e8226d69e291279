from __future__ import annotations

import shutil
from html.parser import HTMLParser

import pytest
from PIL import Image, ImageOps

from edgeemo.dataset.check import check_folder, make_page, page
from edgeemo.utils.progress import Silent


class Reading(HTMLParser):
    """The images of a page, its scripts, and everything that leads out of it."""

    def __init__(self, text):
        super().__init__()
        self.images, self.scripts, self.outside = [], 0, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        for name, value in attrs:
            if name == "src":
                self.images.append(value)
            if name in ("src", "href") and not (value or "").startswith(("data:", "#")):
                self.outside.append(value)


def read(folder):
    text = make_page(check_folder(folder), title="faces", folder=folder, progress=Silent())
    return text, Reading(text)


def test_groups_and_unusable_files_are_shown(tmp_path, fill, paint):
    fill(tmp_path, {"happy": 5, "sad": 5}, noise=14)
    shutil.copy(tmp_path / "happy/000.png", tmp_path / "happy/copy.png")
    shutil.copy(tmp_path / "happy/001.png", tmp_path / "sad/both.png")
    paint(60, size=(20, 20)).save(tmp_path / "sad/tiny.png")
    (tmp_path / "sad/notes.txt").write_text("not an image")
    text, seen = read(tmp_path)
    assert (seen.scripts, seen.outside) == (0, [])
    assert len(seen.images) == 5
    assert all(source.startswith("data:image/") for source in seen.images)
    for words in ("2 images, identical files, happy and sad", "notes.txt", "sad/tiny.png"):
        assert words in text


def test_names_are_text_not_markup(tmp_path, fill):
    fill(tmp_path, {"happy": 5, "sad": 5})
    (tmp_path / "happy").rename(tmp_path / "<b>happy")
    name = "<script>alert(1)<&.png"
    shutil.copy(tmp_path / "sad" / "005.png", tmp_path / "sad" / name)
    text, seen = read(tmp_path)
    assert seen.scripts == 0
    assert "<b>happy" not in text
    assert "&lt;script&gt;alert(1)&lt;&amp;.png" in text


def test_what_does_not_fit_is_counted(tmp_path, fill, monkeypatch):
    fill(tmp_path, {"happy": 6, "sad": 3}, noise=14)
    for number in range(4):
        for copy in range(3):
            source = tmp_path / f"happy/{number:03}.png"
            shutil.copy(source, tmp_path / f"happy/{number:03}-{copy}.png")
    monkeypatch.setattr(page, "_GROUPS", 3)
    monkeypatch.setattr(page, "_PER_GROUP", 2)
    text, seen = read(tmp_path)
    assert len(seen.images) == 6
    assert text.count("2 more images are not shown") == 3
    assert "1 more group is not shown" in text


@pytest.mark.parametrize("limit", [1, 10_000])
def test_the_page_stays_small(tmp_path, fill, monkeypatch, limit):
    fill(tmp_path, {"happy": 12, "sad": 3}, noise=14)
    for number in range(12):
        shutil.copy(tmp_path / f"happy/{number:03}.png", tmp_path / f"happy/{number:03}-copy.png")
    monkeypatch.setattr(page, "MAX_BYTES", limit)
    text, seen = read(tmp_path)
    assert 1 <= len(seen.images) < 24
    assert sum(map(len, seen.images)) < limit + 20_000
    assert "not shown" in text


def test_processed_images_are_shown(tmp_path, fill):
    fill(tmp_path, {"happy": 5, "sad": 5}, noise=14)
    text, seen = read(tmp_path)
    assert "Processing" not in text
    shown = len(seen.images)
    for path in (tmp_path / "happy").glob("*.png"):
        with Image.open(path) as image:
            ImageOps.equalize(image.convert("L")).save(path)
    text, seen = read(tmp_path)
    assert ">Processing<" in text
    assert "from a flat histogram" in text
    assert "5 of 10" in text
    assert len(seen.images) >= shown + 5
