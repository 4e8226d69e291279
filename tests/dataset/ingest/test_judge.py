from __future__ import annotations

import hashlib
import io
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeemo.dataset.ingest import examine
from edgeemo.dataset.ingest.examine import UsableImage
from edgeemo.dataset.ingest.find import LabelledFile
from edgeemo.dataset.ingest.judge import judge_file, judge_files
from edgeemo.errors import MissingExtraError
from edgeemo.utils.progress import Silent

FORMATS = ("JPEG", "PNG", "BMP")


def look(path, *, formats=FORMATS):
    return judge_file(path.parent, LabelledFile(path.name, "happy", None), formats=formats)


def distance(one, other):
    a, b = (int.from_bytes(verdict.perceptual_hash) for verdict in (one, other))
    return (a ^ b).bit_count()


@pytest.mark.parametrize("format", FORMATS)
def test_an_image(tmp_path, paint, format):
    path = tmp_path / f"a.{format.lower()}"
    paint(1).save(path, format)
    verdict = look(path)
    assert verdict == UsableImage(
        path=path.name,
        label="happy",
        split=None,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        perceptual_hash=verdict.perceptual_hash,
        thumbnail=verdict.thumbnail,
        wrong_extension=False,
    )
    assert len(verdict.perceptual_hash) == 8
    grey = np.asarray(paint(1).convert("L").resize((16, 16), Image.Resampling.BOX), dtype=int)
    thumbnail = np.frombuffer(verdict.thumbnail, np.uint8).reshape(16, 16)
    assert np.abs(thumbnail - grey).mean() < 4


def test_the_name_does_not_matter(tmp_path, paint):
    paint(1).save(tmp_path / "a.jpg", "PNG")
    paint(1).save(tmp_path / "b", "PNG")
    assert look(tmp_path / "a.jpg").wrong_extension
    assert not look(tmp_path / "b").wrong_extension


@pytest.mark.parametrize("format", ["WEBP", "GIF"])
def test_other_formats_only_on_request(tmp_path, paint, format):
    path = tmp_path / "a.jpg"
    paint(1).save(path, format)
    verdict = look(path)
    assert (verdict.reason, verdict.detail) == (
        "format",
        f"{format}; --accept {format.lower()} accepts it",
    )
    assert look(path, formats=(*FORMATS, format)).wrong_extension


def test_turned_by_its_tag_it_looks_the_same(tmp_path, paint):
    image = paint(1)
    image.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    upright, turned = look(tmp_path / "upright.png"), look(tmp_path / "turned.png")
    assert upright.perceptual_hash == turned.perceptual_hash
    assert upright.thumbnail == turned.thumbnail


def test_a_smaller_recompressed_copy_has_almost_the_same_hash(tmp_path, paint):
    paint(1, size=(600, 480)).save(tmp_path / "a.png")
    paint(1, size=(600, 480)).resize((200, 160)).save(tmp_path / "b.jpg", quality=50)
    assert distance(look(tmp_path / "a.png"), look(tmp_path / "b.jpg")) <= 4


def test_another_image_has_another_hash(tmp_path, paint):
    paint(1).save(tmp_path / "a.png")
    paint(2).save(tmp_path / "b.png")
    assert distance(look(tmp_path / "a.png"), look(tmp_path / "b.png")) > 12


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_blank(tmp_path, grey):
    Image.new("L", (48, 48), grey).save(tmp_path / "a.jpg")
    assert look(tmp_path / "a.jpg").reason == "blank"


def test_dark_is_not_blank(tmp_path, paint):
    paint(1).point(lambda value: value // 12).save(tmp_path / "a.png")
    assert isinstance(look(tmp_path / "a.png"), UsableImage)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_truncated(tmp_path, paint, format, share):
    buffer = io.BytesIO()
    paint(1, size=(300, 200)).save(buffer, format)
    content = buffer.getvalue()
    (tmp_path / "a").write_bytes(content[: int(len(content) * share)])
    assert look(tmp_path / "a").reason == "damaged"


def test_a_truncated_progressive_jpeg(tmp_path, paint):
    buffer = io.BytesIO()
    paint(1, size=(300, 200)).save(buffer, "JPEG", progressive=True)
    (tmp_path / "a").write_bytes(buffer.getvalue()[:-200])
    assert look(tmp_path / "a").reason == "damaged"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"hello", "not-an-image"),
        (b"<svg></svg>" * 20, "not-an-image"),
        (b"\x89PNG\r\n\x1a\n" + b"junk" * 20, "damaged"),
        (b"\xff\xd8\xff\xe0" + b"junk" * 20, "damaged"),
    ],
)
def test_not_an_image(tmp_path, content, reason):
    (tmp_path / "a.jpg").write_bytes(content)
    verdict = look(tmp_path / "a.jpg")
    assert verdict.reason == reason
    assert "\n" not in verdict.detail


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_decompression_bomb_is_not_decoded(tmp_path, side):
    def chunk(name, content):
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000)))
    (tmp_path / "a.png").write_bytes(content)
    verdicts = judge_files(
        tmp_path, [LabelledFile("a.png", "happy", None)], accept=(), progress=Silent()
    )
    assert [verdict.reason for verdict in verdicts] == ["too-large"]


def test_a_file_too_large_is_not_read(tmp_path, monkeypatch, paint):
    paint(1).save(tmp_path / "a.bmp")
    monkeypatch.setattr(examine, "MAX_FILE_BYTES", 1000)
    assert look(tmp_path / "a.bmp").reason == "too-large"


def test_unreadable(tmp_path, monkeypatch, paint):
    paint(1).save(tmp_path / "a.png")

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    verdict = look(tmp_path / "a.png")
    assert (verdict.reason, verdict.detail) == ("unreadable", "Permission denied")


def test_a_dangling_link(tmp_path):
    (tmp_path / "a.png").symlink_to(tmp_path / "nowhere")
    assert look(tmp_path / "a.png").reason == "unreadable"


def test_a_name_that_is_not_text(tmp_path, paint):
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    paint(1).save(tmp_path / name)
    verdict = look(tmp_path / name)
    assert (verdict.path, verdict.reason) == ("caf\ufffd.png", "name")


def test_verdicts_come_in_order(tmp_path, fill):
    fill(tmp_path, {"happy": 100})
    names = [f"happy/{number:03}.png" for number in range(100)]
    verdicts = judge_files(
        tmp_path,
        [LabelledFile(name, "happy", None) for name in names],
        accept=(),
        progress=Silent(),
    )
    assert [verdict.path for verdict in verdicts] == names


def test_a_camera_s_second_image_does_not_matter(tmp_path, paint):
    paint(1).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[paint(2)])
    assert isinstance(look(tmp_path / "a.jpg"), UsableImage)


def test_without_imagehash_it_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imagehash", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[data\]'"):
        judge_files(tmp_path, [], accept=(), progress=Silent())


def test_strays(data_dir):
    files = [
        LabelledFile(path.name, "happy", None) for path in sorted((data_dir / "strays").iterdir())
    ]
    refused = judge_files(data_dir / "strays", files, accept=(), progress=Silent())
    assert {verdict.reason for verdict in refused} == {"format"}
    taken = judge_files(data_dir / "strays", files, accept=("webp", "gif"), progress=Silent())
    assert all(isinstance(verdict, UsableImage) for verdict in taken)


def test_broken_camera_files(data_dir):
    folder = data_dir / "exif" / "invalid"
    files = [LabelledFile(path.name, "-", None) for path in sorted(folder.iterdir())]
    verdicts = judge_files(folder, files, accept=(), progress=Silent())
    assert len(verdicts) == len(files) == 8


def test_whatever_goes_wrong_with_a_file_is_its_verdict(tmp_path, monkeypatch, paint):
    paint(1).save(tmp_path / "a.png")
    for failure in (MemoryError(), RecursionError("too deep"), ValueError("odd")):

        def fail(*_: object, raised: Exception = failure) -> None:
            raise raised

        monkeypatch.setattr(examine, "compute_perceptual_hash", fail)
        assert look(tmp_path / "a.png").reason == "damaged"
