from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from edgeemo.report.contact_sheet import write_contact_sheet
from edgeemo.report.document import Tile

GREEN, RED = (0x1A, 0x7F, 0x37), (0xCF, 0x22, 0x2E)


def _colours(path):
    with Image.open(path) as sheet:
        return {colour for _, colour in sheet.convert("RGB").getcolors(1 << 20)}


def _tile(good=None, caption="one\ntwo"):
    return Tile(image=np.full((8, 8, 1), 77, np.uint8), caption=caption, good=good)


@pytest.mark.parametrize(("good", "here", "absent"), [(True, GREEN, RED), (False, RED, GREEN)])
def test_the_frame_says_good_or_bad(tmp_path, good, here, absent):
    path = write_contact_sheet([_tile(good)], tmp_path / "sheet.png", columns=4, title="Title")
    assert here in _colours(path)
    assert absent not in _colours(path)


def test_a_neutral_tile_has_neither_colour(tmp_path):
    path = write_contact_sheet([_tile()], tmp_path / "sheet.png", columns=4, title="")
    assert not {GREEN, RED} & _colours(path)


def test_tiny_images_are_enlarged_pixel_by_pixel(tmp_path):
    """A checkerboard of two greys must not gain a third."""
    board = (np.indices((6, 6)).sum(axis=0) % 2 * 99 + 50).astype(np.uint8)[..., None]
    tile = Tile(image=board, caption="")
    path = write_contact_sheet([tile], tmp_path / "sheet.png", columns=1, title="")
    assert _colours(path) == {(50, 50, 50), (149, 149, 149), (255, 255, 255), (0x8C, 0x95, 0x9F)}


def test_more_rows_and_columns_make_a_larger_sheet(tmp_path):
    def size(count, columns):
        path = write_contact_sheet(
            [_tile()] * count, tmp_path / "s.png", columns=columns, title="T"
        )
        with Image.open(path) as sheet:
            return sheet.size

    assert size(8, 4)[0] == size(4, 4)[0] > size(3, 3)[0]
    assert size(8, 4)[1] > size(4, 4)[1] == size(3, 3)[1]
    assert size(1, 9) == size(1, 1)


def test_any_image_any_text_and_no_tile_at_all(tmp_path):
    tiles = [
        Tile(image=Image.new("RGBA", (900, 20)), caption="glücklich × 幸せ\n" + "long " * 50),
        Tile(image=np.zeros((300, 4, 3), np.uint8), caption=""),
    ]
    path = write_contact_sheet(tiles, tmp_path / "sheet.png", columns=2, title="word " * 80)
    with Image.open(path) as sheet:
        assert sheet.mode == "RGB"
    write_contact_sheet([], path, columns=3, title="Nothing")
    with Image.open(path) as sheet:
        assert sheet.height < 100


def test_the_same_tiles_give_the_same_bytes(tmp_path):
    first, second = (
        write_contact_sheet([_tile(True)], tmp_path / name, columns=2, title="T") for name in "ab"
    )
    assert first.read_bytes() == second.read_bytes()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "b"]


def test_no_column_is_refused(tmp_path):
    with pytest.raises(ValueError, match="columns"):
        write_contact_sheet([], tmp_path / "sheet.png", columns=0, title="")
