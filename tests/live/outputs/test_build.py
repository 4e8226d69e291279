"""From the options to outputs."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from edgeemo.errors import OptionError
from edgeemo.live.options import LiveFormat, LiveOptions
from edgeemo.live.outputs.build import RunFacts, build_outputs

from .made import SPEC, SPEC_WHOLE, change, face, see


def _run(options, *items, spec=SPEC, is_live=False):
    stdout = io.StringIO()
    run = RunFacts(
        spec=spec, source="a.mp4", is_live=is_live, stdout=stdout, stderr=io.StringIO(),
        report=pytest.fail,
    )  # fmt: skip
    outputs = build_outputs(options, run)
    for item in items:
        (outputs.add_observation if hasattr(item, "frame") else outputs.add_event)(item)
    outputs.close(wait_s=None)
    return stdout.getvalue().splitlines()


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ({}, "0:00:01.0  face 1: sad 0.75 (raw sad 0.75), happy for 1.5 s before"),
        ({"json": True}, '{"time": 0.0, "frame": 0'),
        ({"json": True, "events": True}, '{"event": "changed", "time": 1.0'),
        ({"format": LiveFormat.CSV}, "time,frame,passed_over,moving,file,id,label,left,"),
        ({"format": LiveFormat.CSV, "events": True}, "time,event,previous,duration_s,id,label"),
    ],
)
def test_the_format_is_the_one_requested(options, first):
    lines = _run(LiveOptions(**options), see(0.0, face()), change(1.0), see(1.0, face()))
    assert lines[0].startswith(first)
    has_summary = any("2 frames in 0:01, 1 face" in line for line in lines)
    assert has_summary == (not options)
    assert json.loads(lines[0]) if options.get("json") else True


@pytest.mark.parametrize("option", ["blur", "no_images", "none"])
def test_no_image_leaves_a_page_that_must_not(tmp_path, option):
    pytest.importorskip("jinja2")
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    seen = see(0.0, face(), image=Image.fromarray(noise))
    page = tmp_path / "a.html"
    options = LiveOptions(html=page, **({} if option == "none" else {option: True}))
    _run(options, seen, see(1.0, face()))
    sizes = {"blur": (1, 4000), "no_images": (0, 0), "none": (1, 10**6)}
    images, most = sizes[option]
    text = page.read_text()
    assert text.count("<img") == images
    found = text.partition('src="data:image')[2].partition('"')[0]
    assert len(found) <= most
    if option == "none":
        assert len(found) > 4000  # noise


def test_blur_requires_a_model_that_detects_faces():
    with pytest.raises(OptionError, match="--blur requires a model that detects faces"):
        _run(LiveOptions(blur=True), spec=SPEC_WHOLE)
