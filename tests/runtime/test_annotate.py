"""Annotated copies: how they are compressed. What is drawn is tested with ``edgeemo predict``."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from edgeemo.runtime import annotate as module
from edgeemo.runtime.annotate import Annotator, annotate


@pytest.mark.parametrize("large", [False, True])
def test_a_copy_is_lossless_whatever_its_compression(tmp_path, monkeypatch, large):
    saved = []
    save = Image.Image.save

    def record(image, *args, **options):
        saved.append(options)
        save(image, *args, **options)

    noise = np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    monkeypatch.setattr(module, "_LARGE_PIXELS", 1 << 10 if large else 1 << 20)
    monkeypatch.setattr(Image.Image, "save", record)
    copy = Annotator(tmp_path / "seen").write(tmp_path / "noise.png", [])
    assert [options["compress_level"] for options in saved] == [1 if large else 6]
    assert ("compress_type" in saved[0]) is large  # a photo of noise takes 2 s without it
    expected = np.asarray(annotate(tmp_path / "noise.png", []))
    np.testing.assert_array_equal(np.asarray(Image.open(copy)), expected)
