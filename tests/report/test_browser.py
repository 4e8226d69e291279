"""Pages in Chromium: nothing is wider than a phone, and dark paper has dark plots."""

from __future__ import annotations

import pytest
from PIL import Image

from edgeemo.report.document import (
    Code,
    Document,
    Gallery,
    Plot,
    Section,
    Steps,
    Table,
    Text,
    Tile,
)
from edgeemo.report.html import to_html
from edgeemo.report.plots import draw_figure

from ..chromium import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium")
LONG = "a-name-that-is-longer-than-any-phone-is-wide-" * 4


@pytest.fixture
def page(tmp_path):
    """A page with everything that may be too wide."""
    with draw_figure(tmp_path / "plot.png", width=9, height=3) as drawn:
        drawn.subplots().plot([1, 2])
    Image.new("L", (900, 90)).save(tmp_path / "photos.png")
    wide = [f"column {number}" for number in range(9)]
    blocks = [
        Text("See ", Code(LONG), LONG),
        Steps([(LONG, f"edgeemo train --data {LONG}")]),
        Table(wide, [wide, wide], marked=[1]),
        Plot("plot.png", "a plot"),
        Plot("photos.png", "photos", shows_photos=True),
        Gallery([Tile(image=Image.new("L", (9, 9)), caption=LONG, name=LONG)] * 5),
    ]
    sections = [Section(f"{LONG} {number}", blocks) for number in range(3)]
    document = Document(title=LONG, headline=LONG, warnings=[LONG], sections=sections)
    path = tmp_path / "page.html"
    path.write_text(to_html(document, folder=tmp_path))
    return path


@pytest.fixture
def browser(tmp_path):
    made = Browser(tmp_path / "profile")
    yield made
    made.close()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(page, browser, width, scheme):
    browser.open(page.as_uri())
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=900, deviceScaleFactor=1, mobile=False,
    )  # fmt: skip
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.call("Emulation.setEmulatedMedia", features=features)
    browser.wait(f"document.readyState === 'complete' && innerWidth === {width}")
    assert browser.value("document.documentElement.scrollWidth") <= width
    scrolls = "document.querySelector('.scroll:has(table)')"
    assert browser.value(f"{scrolls}.scrollWidth > {scrolls}.clientWidth") is (width == 390)
    assert "gradient" in browser.value(f"getComputedStyle({scrolls}).backgroundImage")
    marked = "getComputedStyle(document.querySelector('tr.marked td'))"
    plain = "getComputedStyle(document.querySelector('tbody tr td'))"
    assert browser.value(f"{marked}.color !== {plain}.color && {marked}.fontWeight > 500")
    filters = (
        "[...document.querySelectorAll('figure.plot img')].map(x => getComputedStyle(x).filter)"
    )
    drawn, photos = browser.value(f"{filters}.slice(0, 2).join('|')").split("|")
    assert photos == "none"
    assert drawn.startswith("invert") is (scheme == "dark")
