"""Names that packages import when they are used."""

from __future__ import annotations

from importlib import import_module

import pytest


@pytest.mark.parametrize("package", ["edgeemo", "edgeemo.train", "edgeemo.tune", "edgeemo.bundle"])
def test_every_name_that_a_package_offers_is_there(package):
    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018
