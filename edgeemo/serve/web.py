"""The names of starlette that this package uses: the one file that imports it."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

__all__ = [
    "ASGIApp", "HTTPException", "Receive", "Request", "Response", "Route", "Router", "Scope",
    "Send", "WebSocket", "WebSocketDisconnect", "WebSocketRoute",
]  # fmt: skip
