"""The script that counts a live frame's stages on an emulated Pi, run on this machine."""

from __future__ import annotations

from edgeemo.bench import draw_camera_frame, draw_photo
from edgeemo.model.folder import shipped_folder
from emulation import live_stages
from emulation.live_cost import HEADING, find_section, render_section


def test_it_counts_every_stage_and_fills_the_page(tmp_path) -> None:
    for name, content in (("a.jpg", draw_photo()), ("b.jpg", draw_camera_frame())):
        (tmp_path / name).write_bytes(content)
    file = shipped_folder().choose_default_file()
    found = live_stages.main(str(file), str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg"))
    stages = {"decode", "detect", "track", "predict", "total"}
    assert found["with faces"].keys() == found["known faces missed"].keys() == stages
    assert found["without a face"].keys() == stages | {"first look", "most"}
    assert found["still, JPEG"].keys() == {"decode", "gate", "total"}
    page = "# Cost\n\n" + render_section({"cortex-a53": found}, file)
    assert find_section(page).startswith(HEADING)
    assert page.count("| Cortex-A53 (Pi 3) |") == 5
