"""A verified model folder of the golden models, 12x12, grey, sigmoid. No TensorFlow."""

from __future__ import annotations

import pytest

from edgeemo.verify import verify

from ..verify.conftest import place  # noqa: F401


@pytest.fixture
def folder(place):  # noqa: F811
    """The model folder, verified."""
    assert verify(place.folder).passed
    return place.folder
