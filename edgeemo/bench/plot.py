"""Plot latency against file size as a PNG, coloured by accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeemo.report.plots import draw_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeemo.bench.results import BenchmarkReport, CandidateResult, Measurement
    from edgeemo.utils.paths import StrPath

    Points = Sequence[tuple[CandidateResult, Measurement]]

_WIDTH, _HEIGHT = 10.5, 6.2  # inches
_MARKERS = {"ai-edge-litert": "o", "tflite-runtime": "o", "onnxruntime": "s"}
_OTHER_MARKER = "D"
_UNKNOWN = "#afb8c1"
_INK = "#24292f"
_LOG_FROM = 4  # ratio of the largest to the smallest value from which an axis is logarithmic
_LINE = 0.042  # height of a label, as a share of the axis
_COLUMN = 0.12  # markers closer than this, as a share of the axis, share a column of labels


def plot_report(path: StrPath, report: BenchmarkReport) -> Path:
    """Plot the median time of a warm prediction, with a whisker up to p99, against the file size.

    Args:
        path: The PNG to write.
        report: A report with at least one measured candidate.

    Returns:
        `path`.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    path = Path(path)
    points = [(each, each.measurement) for each in report.results if each.measurement]
    with draw_figure(path, width=_WIDTH, height=_HEIGHT) as drawn:
        axis = drawn.subplots()
        _draw(drawn, axis, points)
        _set_up(axis, points)
        _label(axis, points, fastest=report.fastest_result)
        machine = report.machine.get("board") or report.machine.get("processor", "")
        axis.set_title(f"Time from an image's bytes to its label: {machine}\n{report.image}")
    return path


def _draw(drawn: Any, axis: Any, points: Points) -> None:
    """Draw a marker at each median, a whisker up to p99, and the legend."""
    known = [100 * each.accuracy.value for each, _ in points if each.accuracy]
    span = {"vmin": min(known, default=0) - 0.5, "vmax": max(known, default=0) + 0.5}
    coloured, shapes = None, {}
    for result, found in points:
        x, y = _place(result, found)
        axis.plot([x, x], [y, found.total.p99.value], "-_", color=_UNKNOWN, ms=9, zorder=1)
        marker = _MARKERS.get(result.engine, _OTHER_MARKER)
        style = {"marker": marker, "s": 70, "edgecolors": _INK, "linewidths": 0.8, "zorder": 2}
        if result.accuracy:
            shade = [100 * result.accuracy.value]
            coloured = axis.scatter([x], [y], c=shade, cmap="viridis", **span, **style)
        else:
            axis.scatter([x], [y], c=_UNKNOWN, **style)
        shapes[result.engine] = axis.scatter([], [], c="white", **style)
    if coloured is not None:
        drawn.colorbar(coloured, ax=axis, label="accuracy on the test images, %", shrink=0.8)
    whisker = axis.plot([], [], "-_", color=_UNKNOWN, ms=9)[0]
    handles = {**shapes, "median, up to p99; bold: the fastest": whisker}
    handles |= _draw_detection(axis, points)
    drawn.legend(
        handles.values(), handles.keys(), loc="outside lower center", frameon=False, ncols=4
    )


def _draw_detection(axis: Any, points: Points) -> dict[str, Any]:
    """Draw a bar at the median of detecting a face, if faces are detected."""
    detections = [(_place(*point)[0], _median_detection_ms(point[1])) for point in points]
    detections = [each for each in detections if each[1]]
    if not detections:
        return {}
    sizes, times = zip(*detections, strict=True)
    bars = axis.scatter(sizes, times, marker="_", s=160, c=_INK, zorder=3)
    return {"of which face detection": bars}


def _set_up(axis: Any, points: Points) -> None:
    """Set the scales, limits with room for the labels, grid and axis names."""
    sizes = [_place(*point)[0] for point in points]
    times = [_place(*point)[1] for point in points] + [each.total.p99.value for _, each in points]
    times += [_median_detection_ms(found) for _, found in points if _median_detection_ms(found)]
    for which, values in (("x", sizes), ("y", times)):
        if max(values) >= _LOG_FROM * min(values):
            axis.set(**{f"{which}scale": "log"})
            scale = axis.xaxis if which == "x" else axis.yaxis
            scale.set_major_formatter("{x:g}")
            scale.set_minor_formatter("{x:g}" if max(values) < 30 * min(values) else "")
    axis.margins(x=0.08, y=0.1)
    axis.set_xlim(*_widen(axis, *axis.get_xlim()))
    axis.set(xlabel="file size, kB", ylabel="milliseconds")
    axis.grid(alpha=0.3)


def _widen(axis: Any, low: float, high: float) -> tuple[float, float]:
    """Return a wider range: labels stand to the right of their markers."""
    if axis.get_xscale() == "log":
        return low, high * float((high / low) ** 0.35)
    return low, high + 0.35 * (high - low)


def _label(axis: Any, points: Points, *, fastest: CandidateResult | None) -> None:
    """Write names beside the markers, in columns, without overlaps."""
    columns: list[tuple[float, float]] = []  # x of the column, upper end of its last label
    for result, found in sorted(points, key=lambda point: _place(*point)[::-1]):
        place = _place(result, found)
        x, y = axis.transAxes.inverted().transform(axis.transData.transform(place))
        near = [column for column in columns if abs(column[0] - x) < _COLUMN]
        level = max([y, *(top for _, top in near)])
        columns.append((x, level + _LINE))
        axis.annotate(
            _format_name(result),
            xy=place,
            xytext=(x + 0.03, level),
            textcoords="axes fraction",
            va="center",
            fontsize=9,
            fontweight="bold" if result is fastest else "normal",
            arrowprops={
                "arrowstyle": "-",
                "color": _UNKNOWN,
                "lw": 0.7,
                "shrinkB": 5,
                "relpos": (0, 0.5),
            },
        )


def _median_detection_ms(found: Measurement) -> float:
    """Return the median of detecting a face; 0 if none are detected."""
    return found.warm_ms["detect"].p50.value if "detect" in found.warm_ms else 0.0


def _format_name(result: CandidateResult) -> str:
    accuracy = f", {result.accuracy.value:.1%}" if result.accuracy else ""
    return f"{result.file} \u00d7{result.threads}{accuracy}"


def _place(result: CandidateResult, found: Measurement) -> tuple[float, float]:
    return result.size_bytes / 1000, found.total.p50.value
