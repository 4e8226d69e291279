"""--webhook: each event is posted to an address."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from edgeemo.errors import OptionError
from edgeemo.live.outputs.jsonl import event_fields
from edgeemo.live.outputs.trouble import Trouble
from edgeemo.live.outputs.worker import Worker
from edgeemo.utils.text import has_controls, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeemo.live.observation import Event, Observation
    from edgeemo.live.outputs.clock import Clock

BACKLOG = 64
"""Events that wait; more are left out."""
TIME_LIMIT_S = 5.0
"""Seconds that a try may take."""
_PAUSES_S = (1.0, 3.0)
"""Seconds before the second and the third try."""
_CLOSE_S = 0.7
_BUSY = 429
_SERVER_ERROR = 500


@dataclass(frozen=True, kw_only=True)
class WebhookAddress:
    """An address, whose path and password nobody is told: many services hide a key in them.

    Attributes:
        url: The address without name and password.
        host: What messages show of it.
        headers: Headers of a request.
    """

    url: str
    host: str
    headers: dict[str, str]


class Webhook:
    """Posts each event as JSON, one at a time, with three tries at most.

    Args:
        address: The address.
        clock: The meaning of times.
        camera: Name of the camera, for the JSON.
        report: Receives one line about a failure.
        pauses_s: Seconds before the second and each later try.
    """

    def __init__(
        self,
        address: WebhookAddress,
        clock: Clock,
        *,
        camera: str,
        report: Callable[[str], None],
        pauses_s: tuple[float, ...] = _PAUSES_S,
    ) -> None:
        self.name = f"--webhook {address.host}"
        self._address, self._clock, self._camera = address, clock, camera
        self._pauses_s = pauses_s
        self._trouble = Trouble(self.name, report)
        self._opener = _make_opener()
        self._is_closing = False
        message = f"{self.name}: slower than the events; some are left out"
        self._worker = Worker(self._post, limit=BACKLOG, on_drop=lambda: report(message))

    def add_observation(self, seen: Observation) -> None:
        """Ignore it."""

    def add_event(self, event: Event) -> None:
        """See `edgeemo.live.outputs.base.Output.add_event`."""
        fields = event_fields(event, self._clock, name=self._camera)
        self._worker.put(json.dumps(fields).encode())

    def close(self) -> None:
        """See `edgeemo.live.outputs.base.Output.close`; what waits for another try is dropped."""
        self._is_closing = True
        self._worker.finish(_CLOSE_S)

    def _post(self, content: bytes) -> None:
        for pause in (*self._pauses_s, None):
            problem, is_passing = self._try(content)
            if not problem:
                self._trouble.clear()
                return
            self._trouble.note(f"{problem}; predictions continue without it")
            if pause is None or not is_passing or self._is_closing:
                return
            time.sleep(pause)

    def _try(self, content: bytes) -> tuple[str, bool]:
        """Return what went wrong, or nothing, and whether another try may help."""
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        request = Request(self._address.url, content, self._address.headers, method="POST")
        try:
            self._opener.open(request, timeout=TIME_LIMIT_S).close()
        except HTTPError as error:
            error.close()
            is_passing = error.code >= _SERVER_ERROR or error.code == _BUSY
            return f"status {error.code}", is_passing
        except URLError as error:
            reason = one_line(getattr(error.reason, "strerror", "") or error.reason)
            return reason[:1].lower() + reason[1:], True
        except Exception as error:  # http.client raises its own kinds
            return one_line(type(error).__name__), True
        return "", False


def parse_webhook(text: str) -> WebhookAddress:
    """Return the address that a text names.

    Args:
        text: "http://..." or "https://...", perhaps with "name:password@".

    Raises:
        OptionError: If it is none; the text does not repeat it.
    """
    problem = OptionError("--webhook takes an address such as https://example.org/hook")
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise problem from None
    if parts.scheme not in ("http", "https") or not parts.hostname or has_controls(text):
        raise problem
    if " " in text or not text.isascii():
        raise problem
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    headers = {"Content-Type": "application/json", "User-Agent": "edgeemo"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    bare = parts._replace(netloc=f"{host}{port}", fragment="")
    return WebhookAddress(url=bare.geturl(), host=f"{host}{port}", headers=headers)


def _make_opener() -> Any:
    """Return what opens addresses and follows no redirect, which would take the password along."""
    from urllib.request import HTTPRedirectHandler, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    return build_opener(Stay)
