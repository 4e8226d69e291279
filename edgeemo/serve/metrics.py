"""``GET /metrics``: the numbers of a server in Prometheus' text format."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from edgeemo.serve.counters import BUCKETS_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeemo.serve.context import Context


def write_metrics(context: Context) -> tuple[bytes, str]:
    """Return the metrics, and their media type. Only now prometheus-client is imported."""
    from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(context))
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


class _Collector:
    """Reads the counters of a server when it is asked to."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def collect(self) -> Iterator[Any]:
        yield from self._collect_requests()
        yield from self._collect_predictions()
        if self._context.source:
            yield from self._collect_live()

    def _collect_requests(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        context = self._context
        responses = CounterMetricFamily(
            "edgeemo_http_responses", "Responses by status.", labels=["status"]
        )
        for status, count in sorted(context.counters.responses.items()):
            responses.add_metric([str(int(status))], count)
        yield responses
        gauges: dict[str, tuple[str, float]] = {
            "edgeemo_viewers": ("Open pages and streams.", context.viewers.taken),
            "edgeemo_predictions_running": ("Images being predicted.", context.gate.running),
            "edgeemo_predictions_waiting": ("Images that wait.", context.gate.waiting),
        }
        celsius = context.state.read_temperature()
        if celsius is not None:
            gauges["edgeemo_temperature_celsius"] = ("Temperature of the processor.", celsius)
        for name, (help, value) in gauges.items():
            yield GaugeMetricFamily(name, help, value=value)

    def _collect_predictions(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        counters = self._context.counters
        labels = CounterMetricFamily(
            "edgeemo_predictions", "Predicted images and faces by label.", labels=["label"]
        )
        for label, count in sorted(counters.predictions.items()):
            labels.add_metric([label], count)
        yield labels
        total, buckets = 0, []
        ends = [*map(str, BUCKETS_S), "+Inf"]
        for end, count in zip(ends, counters.durations, strict=True):
            total += count
            buckets.append((end, total))
        yield HistogramMetricFamily(
            "edgeemo_prediction_seconds", "Duration of the prediction of an image.",
            buckets=buckets, sum_value=counters.seconds,
        )  # fmt: skip

    def _collect_live(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        hub, counters = self._context.hub, self._context.counters
        up = 1 if hub.source == "live" else 0
        yield GaugeMetricFamily("edgeemo_source_up", "1 if the source gives frames.", value=up)
        yield CounterMetricFamily("edgeemo_frames", "Frames observed.", value=hub.observed)
        yield CounterMetricFamily(
            "edgeemo_frames_passed_over", "Frames between them.", value=hub.passed_over
        )
        yield CounterMetricFamily("edgeemo_images_shown", "Images sent.", value=counters.shown)
        newest = hub.newest
        if newest is not None:
            age, faces = time.time() - newest.time, len(newest.seen.faces)
            yield GaugeMetricFamily("edgeemo_frame_age_seconds", "Age of the frame.", value=age)
            yield GaugeMetricFamily("edgeemo_faces", "Faces in the newest frame.", value=faces)
