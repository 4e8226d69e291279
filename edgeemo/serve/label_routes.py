"""The routes by which a person gives a face its right label."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from edgeemo.serve.body import receive_json
from edgeemo.serve.problems import ProblemError, reply_json
from edgeemo.serve.web import Response, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgeemo.serve.collecting import LabelledFaces
    from edgeemo.serve.context import Context
    from edgeemo.serve.web import Request


class LabelRoutes:
    """The routes.

    Args:
        context: What all routes share.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def list(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/v1/hold", self._hold, methods=["POST"]),
            Route("/v1/label", self._label, methods=["POST"]),
        ]

    async def _hold(self, request: Request) -> Response:
        faces = self._require()
        content = await self._receive(request, {"frame": int, "face": int})
        name = await asyncio.to_thread(faces.hold, content["frame"], content["face"])
        return reply_json({"hold": name})

    async def _label(self, request: Request) -> Response:
        faces = self._require()
        content = await self._receive(request, {"hold": str, "label": str})
        file = await asyncio.to_thread(faces.label, content["hold"], content["label"])
        return reply_json({"file": file})

    def _require(self) -> LabelledFaces:
        self._context.require_live()
        if self._context.labelled is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "the server was started without --collect")
        return self._context.labelled

    async def _receive(self, request: Request, fields: Mapping[str, type]) -> dict[str, Any]:
        content = await receive_json(
            request, limits=self._context.limits, budget=self._context.budget
        )
        is_right = set(content) == set(fields) and all(
            _is_of(content[name], kind) for name, kind in fields.items()
        )
        if not is_right:
            kinds = {int: "a whole number", str: "text"}
            names = " and ".join(f"{name} ({kinds[kind]})" for name, kind in fields.items())
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"the body must have {names}")
        return {name: kind(content[name]) for name, kind in fields.items()}


def _is_of(value: Any, kind: type) -> bool:
    """Return whether a value of JSON is text or a whole number, which may be written as 1.0."""
    if isinstance(value, float):
        return kind is int and value.is_integer()
    return isinstance(value, kind) and not isinstance(value, bool)
