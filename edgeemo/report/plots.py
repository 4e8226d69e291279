"""Plots as PNG files. Without pyplot: no global state, no window system."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgeemo.errors import MissingExtraError
from edgeemo.utils.files import replacing
from edgeemo.utils.isolate import isolate_imports
from edgeemo.utils.redirect import drop_output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DPI = 120


@contextmanager
def draw_figure(path: Path, *, width: float, height: float, font_size: float = 10) -> Iterator[Any]:
    """Yield a new matplotlib figure; write it, whole or not at all, when the block ends.

    Args:
        path: The PNG to write.
        width: Width in inches of 120 pixels each.
        height: Height in inches.
        font_size: Size of the text in points.

    Yields:
        A ``matplotlib.figure.Figure`` with the "constrained" layout.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    matplotlib, figure_class = _matplotlib()
    # "$" in class names is no mathematics.
    with matplotlib.rc_context({"text.parse_math": False, "font.size": font_size}):
        drawn = figure_class(figsize=(width, height), layout="constrained")
        yield drawn
        with replacing(path) as partial:
            drawn.savefig(partial, dpi=_DPI, format="png")


def _matplotlib() -> Any:
    try:
        with drop_output(), isolate_imports():  # it may say that it builds its font cache
            import matplotlib as mpl
            from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", extra="train", purpose="drawing plots") from None
    return mpl, Figure
