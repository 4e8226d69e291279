"""Pages that hold everything they show, whatever stands in them."""

from __future__ import annotations

import base64
import io
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from edgeemo.errors import MissingExtraError
from edgeemo.report.document import (
    Bullets,
    Code,
    Document,
    Gallery,
    Heading,
    Note,
    Plot,
    Section,
    Steps,
    Table,
    Text,
    Tile,
)
from edgeemo.report.html import to_html
from edgeemo.report.html.images import embed_plot, embed_thumbnail
from edgeemo.report.html.render import _make_environment
from edgeemo.report.markdown import to_markdown
from edgeemo.report.plots import draw_figure

NASTY = "<script>alert('\"')</script> & 😀 `code` |*x*"


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        self.text += data

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


def image(uri: str) -> Image.Image:
    head, content = uri.split(",", 1)
    with Image.open(io.BytesIO(base64.b64decode(content, validate=True))) as found:
        assert head == f"data:image/{found.format.lower()};base64"
        found.load()
    return found.convert("RGB")


def document(folder, *, text: str = "fine") -> Document:
    with draw_figure(folder / "plot.png", width=3, height=2) as drawn:
        drawn.subplots().plot([1, 2])
    tile = Tile(image=np.zeros((8, 8, 1), np.uint8), caption=f"{text}\n2nd", name=text, good=False)
    plot = Plot("plot.png", text)
    blocks = [
        Text("See ", Code(text), f", {text}."),
        Table([text, "n"], [[text, "1"], ["all", "2"]], has_total=True),
        plot,
        Gallery([tile], plot),
    ]
    return Document(
        title=text,
        headline=text,
        lead=[Text(text)],
        warnings=[text],
        sections=[Section(text, blocks)],
    )


def test_a_page_asks_for_nothing_outside_itself(tmp_path):
    page = Page(to_html(document(tmp_path), folder=tmp_path))
    assert not page.all("script", "iframe", "object", "embed", "base", "form")
    for attributes in page.all("img", "link", "source", "a"):
        for name in ("src", "srcset", "href"):
            assert attributes.get(name, "data:").startswith(("data:", "#"))
    (policy,) = [each for each in page.all("meta") if "http-equiv" in each]
    assert policy["content"].startswith("default-src 'none'; img-src data:")


def test_every_image_says_what_it_shows_and_fits_a_phone(tmp_path):
    page = Page(to_html(document(tmp_path), folder=tmp_path))
    images = page.all("img")
    assert len(images) == 2
    assert all(each["alt"] for each in images)
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all(
        "meta"
    )
    assert image(images[0]["src"]).size == (360, 240)  # 3 by 2 inches
    assert images[0]["width"] == "360"


def test_nothing_in_a_label_or_file_name_is_markup(tmp_path):
    html = to_html(document(tmp_path, text=NASTY), folder=tmp_path)
    page = Page(html)
    assert not page.all("script")
    assert page.text.count(NASTY) >= 8
    assert {each["alt"] for each in page.all("img")} == {NASTY, f"Image: {NASTY}, 2nd"}
    html.encode()


def test_a_name_that_is_no_text_does_not_break_the_page(tmp_path):
    html = to_html(document(tmp_path, text="a\udcff\x07.jpg"), folder=tmp_path)
    assert "a\ufffd\ufffd.jpg" in Page(html.encode().decode()).text


def test_the_same_page_as_markdown(tmp_path):
    assert to_markdown(document(tmp_path)) == (
        "# fine\n\n**fine**\n\nfine\n\n## Warnings\n\n- fine\n\n## fine\n\nSee `fine`, fine.\n\n"
        "| fine | n |\n| --- | ---: |\n| fine | 1 |\n| **all** | **2** |\n\n"
        "![fine](plot.png)\n\n![fine](plot.png)\n"
    )


def test_steps_are_numbered_with_their_commands(tmp_path):
    steps = Steps([(NASTY, "edgeemo train --data 'my <b>faces'"), ("Second.", "edgeemo verify")])
    page = Document(title="t", headline="h", sections=[Section("s", [steps])])
    html = to_html(page, folder=tmp_path)
    assert "<code>edgeemo train --data &#39;my &lt;b&gt;faces&#39;</code>" in html
    assert not Page(html).all("script")
    assert "2. Second.\n\n       edgeemo verify\n" in to_markdown(page)


def test_a_marked_row_catches_the_eye_in_both_forms(tmp_path):
    table = Table(["a", "b"], [["x", "1"], ["y", "2"], ["z", "3"]], marked=[1])
    page = Document(title="t", headline="h", sections=[Section("s", [table])])
    html = to_html(page, folder=tmp_path)
    assert html.count('<tr class="marked">') == 1
    assert html.index('class="marked"') < html.index(">y<") < html.index(">z<")
    assert "| **y** | **2** |" in to_markdown(page)


def test_plots_and_no_photos_have_a_dark_form(tmp_path):
    with draw_figure(tmp_path / "plot.png", width=3, height=2) as drawn:
        drawn.subplots().plot([1, 2])
    Image.new("L", (99, 99)).save(tmp_path / "photo.png")
    blocks = [Plot("plot.png", "a"), Plot("photo.png", "b", shows_photos=True)]
    page = Document(title="t", headline="h", sections=[Section("s", blocks)])
    html = to_html(page, folder=tmp_path)
    assert 'class="plot scroll drawn"' in html
    assert 'class="plot scroll"' in html
    assert "figure.plot.drawn img { filter: invert" in html


def other_blocks(text: str) -> Document:
    with io.BytesIO() as stream:
        Image.new("RGB", (5, 4), "red").save(stream, format="png")
        tile = Tile(image=stream.getvalue(), caption=f"{text}\n2nd", name=text)
    blocks = [Heading(text), Bullets([text, "b"]), Gallery([tile]), Note(text)]
    return Document(
        title="t",
        headline="h",
        warnings=["w"],
        warnings_title="To do",
        sections=[Section("s", blocks)],
    )


def test_headings_lists_notes_and_galleries_without_a_sheet():
    assert to_markdown(other_blocks("a*b")) == (
        "# t\n\n**h**\n\n## To do\n\n- w\n\n## s\n\n### a\\*b\n\n- a\\*b\n- b\n\n"
        "- a\\*b, 2nd, a\\*b\n\na\\*b\n"
    )
    page = Page(to_html(other_blocks(NASTY)))
    assert not page.all("script")
    assert page.text.count(NASTY) == 5
    assert "To do" in page.text
    assert image(page.all("img")[0]["src"]).size == (5, 4)  # bytes are taken as they are


def test_markdown_keeps_what_would_be_markup_as_text(tmp_path):
    lines = to_markdown(document(tmp_path, text="a|b <i>\n`c` *d*")).splitlines()
    assert lines[0] == r"# a\|b \<i\> \`c\` \*d\*"
    assert "See `` a|b <i> `c` *d* ``, " in "\n".join(lines)
    assert r"| a\|b \<i\> \`c\` \*d\* | 1 |" in lines


def test_a_missing_value_is_an_error_not_a_gap():
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError, match="headline"):
        _make_environment().get_template("page.html").render(title="x", sections=[])


def test_without_jinja_it_says_what_to_install(monkeypatch):
    _make_environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[data\]'"):
        to_html(Document(title="x", headline="x", sections=[]))


def test_without_matplotlib_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    path = tmp_path / "plot.png"
    with (
        pytest.raises(MissingExtraError, match=r"drawing plots needs matplotlib"),
        draw_figure(path, width=1, height=1),
    ):
        pytest.fail("nothing to draw on")
    assert not path.exists()


def test_a_plot_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), draw_figure(tmp_path / "p.png", width=1, height=1):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_a_tiny_image_is_shown_pixel_by_pixel():
    board = (np.indices((6, 6)).sum(axis=0) % 2 * 99 + 50).astype(np.uint8)[..., None]
    shown = np.asarray(image(embed_thumbnail(board, 60)))
    assert shown.shape == (60, 60, 3)
    assert np.array_equal(shown[5::10, 5::10, 0], board[..., 0])
    assert set(np.unique(shown)) == {50, 149}


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_shown_pixel_by_pixel_loses_nothing(channels):
    given = np.random.default_rng(0).integers(0, 256, (48, 40, channels)).astype(np.uint8)
    shown = np.asarray(image(embed_thumbnail(given, 150)))
    assert np.array_equal(shown, np.broadcast_to(given, (48, 40, 3)).repeat(3, 0).repeat(3, 1))


@pytest.mark.parametrize(
    ("given", "size"),
    [
        (Image.new("RGB", (900, 20), "red"), (96, 2)),
        (Image.new("L", (3, 4000)), (1, 96)),
        (Image.new("CMYK", (300, 300)), (96, 96)),
        (np.zeros((300, 150, 3), np.uint8), (48, 96)),
    ],
)
def test_a_large_image_becomes_a_small_one(given, size):
    uri = embed_thumbnail(given, 96)
    assert image(uri).size == size
    assert len(uri) < 3000


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode):
    clear = Image.new("RGBA", (8, 8), (9, 9, 9, 0)).convert(mode)
    assert image(embed_thumbnail(clear, 8)).getpixel((4, 4)) == (255, 255, 255)


def test_a_plot_stays_white_and_gets_smaller(tmp_path):
    with draw_figure(tmp_path / "p.png", width=5, height=4) as drawn:
        drawn.subplots().plot([1, 3, 2])
    uri = embed_plot(tmp_path / "p.png")
    assert image(uri).getpixel((0, 0)) == (255, 255, 255)
    assert len(uri) * 3 / 4 < (tmp_path / "p.png").stat().st_size
