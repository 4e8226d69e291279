"""A server from its options: everything that can be wrong is told before it answers."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeemo.live.controls import Controls
from edgeemo.live.outputs.clock import Clock
from edgeemo.serve.access import Access, Token
from edgeemo.serve.application import build_application
from edgeemo.serve.camera import Camera
from edgeemo.serve.collecting import LabelledFaces
from edgeemo.serve.context import Context
from edgeemo.serve.counters import Counters
from edgeemo.serve.hub import Hub
from edgeemo.serve.images import FrameImages
from edgeemo.serve.limits import Budget, Gate, Limits, Places
from edgeemo.serve.state import StateReader
from edgeemo.serve.uvicorn_server import bind, check_tls, run_server
from edgeemo.utils.system import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.live.live import Console
    from edgeemo.live.options import LiveOptions
    from edgeemo.live.sources.base import Source
    from edgeemo.serve.models import Models
    from edgeemo.serve.options import ServeOptions


_SILENCE_S = 2.4
"""Longest time without a frame: the page has to say within 3 seconds that the camera is gone."""


def serve(
    options: ServeOptions,
    live: LiveOptions,
    load: Callable[[], Models],
    *,
    console: Console,
    workers: int | None = None,
) -> None:
    """Serve a page and an HTTP interface until Ctrl-C or SIGTERM.

    Args:
        options: Options of the server.
        live: Options of the live run of its source.
        load: Loads the model, which is called for once all options are known to be in order.
        console: Receives lines about the server and the source.
        workers: Images of clients predicted at the same time; by default they leave one core to
            the camera.

    Raises:
        OptionError: If an option cannot be used.
        EdgeEmoError: From `load`.
        SourceError: If the source cannot be opened.
    """
    access = make_access(options)
    if options.tls is not None:
        check_tls(options.tls)
    live = replace(live, source=options.source, real_time=True)
    source = _prepare_source(live)
    with bind(options.host, options.port) as bound:
        _Server(options, live, source, access, console).run(bound, load(), workers=workers)


def make_access(options: ServeOptions) -> Access:
    """Return the rules about who may use the server.

    Raises:
        OptionError: If the options contradict each other.
    """
    token = options.read_token()
    return Access(
        token=Token(token) if token is not None else None,
        hosts=(options.host.lower(), *(name.lower() for name in options.allowed_host)),
        root_path=options.read_root_path(),
        is_secure=options.tls is not None,
    )


def _prepare_source(live: LiveOptions) -> Source | None:
    if not live.source:
        return None
    from edgeemo.live.live import prepare_source

    return prepare_source(live)


def _find_silence(live: LiveOptions, source: Source | None) -> float | None:
    """Return the seconds without a frame after which a source counts as lost."""
    if source is None or not source.is_live or live.watch:
        return None
    return max(_SILENCE_S, 2 / (live.max_fps or live.fps))


class _Server:
    """One server, with the live run of its source."""

    def __init__(
        self,
        options: ServeOptions,
        live: LiveOptions,
        source: Source | None,
        access: Access,
        console: Console,
    ) -> None:
        self._options, self._live, self._source = options, live, source
        self._access, self._console = access, console
        self._controls = Controls(min_confidence=live.min_confidence)
        self._hub = Hub(
            is_live=source is None or source.is_live,
            blur=live.blur,
            source="none" if source is None else "live",
            silence_s=_find_silence(live, source),
        )

    def run(self, bound: socket.socket, models: Models, *, workers: int | None) -> None:
        """Serve until a signal comes."""
        count = workers or max(1, usable_cores() - (self._source is not None))
        context = self._make_context(models, workers=count)
        app = build_application(context, workers=count, report=self._console.report)
        camera = self._make_camera(models)
        try:
            if camera is not None:
                camera.start()
            run_server(
                app,
                bound,
                limits=context.limits,
                tls=self._options.tls,
                on_ready=lambda _: self._console.report(self._describe(bound, models)),
            )
        finally:
            if camera is not None:
                camera.stop()

    def _make_context(self, models: Models, *, workers: int) -> Context:
        body_bytes = self._options.max_body * 2**20
        limits = Limits(body_bytes=body_bytes, uploads_bytes=body_bytes + body_bytes // 2)
        return Context(
            access=self._access,
            models=models,
            hub=self._hub,
            controls=self._controls,
            state=StateReader(self._hub, self._controls, models),
            images=FrameImages(allowed=not self._live.no_images),
            limits=limits,
            gate=Gate(workers, limits),
            budget=Budget(limits.uploads_bytes),
            viewers=Places(limits.viewers),
            counters=Counters(),
            source=self._source.name if self._source else "",
            labelled=self._make_labelled(models),
        )

    def _make_labelled(self, models: Models) -> LabelledFaces | None:
        if self._source is None or self._live.collect is None:
            return None
        return LabelledFaces(
            self._live.collect,
            self._hub,
            spec=lambda: models.classifier.spec,
            clock=Clock(is_live=self._source.is_live),
        )

    def _make_camera(self, models: Models) -> Camera | None:
        if self._source is None:
            return None
        return Camera(
            self._live,
            self._source,
            models=models,
            hub=self._hub,
            controls=self._controls,
            console=self._console,
        )

    def _describe(self, bound: socket.socket, models: Models) -> str:
        scheme = "https" if self._options.tls else "http"
        host = self._options.host
        if host in ("0.0.0.0", "::"):
            host = socket.gethostname()
        host = f"[{host}]" if ":" in host else host
        place = f"{scheme}://{host}:{bound.getsockname()[1]}{self._access.root_path}/"
        shown = f"{self._source.name} with " if self._source else ""
        return f"serving {shown}{models.name} at {place}"
