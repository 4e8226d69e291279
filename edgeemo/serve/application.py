"""The application: all routes, behind the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeemo.serve.guard import Guard
from edgeemo.serve.label_routes import LabelRoutes
from edgeemo.serve.live_routes import LiveRoutes
from edgeemo.serve.page_routes import PageRoutes
from edgeemo.serve.predict import Predictor
from edgeemo.serve.web import Route, Router

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.serve.context import Context


def build_application(context: Context, *, workers: int, report: Callable[[str], None]) -> Guard:
    """Return the application of a server.

    Args:
        context: What its routes share.
        workers: Images predicted at the same time.
        report: Receives one line about a fault of edgeemo.
    """
    predictor = Predictor(context, workers=workers)
    routes = [
        Route("/v1/predict", predictor.answer, methods=["POST"]),
        *LiveRoutes(context).list(),
        *LabelRoutes(context).list(),
        *PageRoutes(context).list(),
    ]
    router = Router(routes, redirect_slashes=False)
    return Guard(router, context.access, counters=context.counters, report=report)
