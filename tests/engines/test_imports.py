"""What is said of an engine's package."""

from __future__ import annotations

from importlib.metadata import version

from edgeemo.engines.imports import name_with_version


def test_a_package_that_pip_knows_by_another_name_has_no_version():
    assert name_with_version("numpy") == f"numpy {version('numpy')}"
    assert name_with_version("no-such-package") == "no-such-package"
