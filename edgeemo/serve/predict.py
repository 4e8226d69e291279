"""``POST /v1/predict``: the predictions of images, as ``edgeemo predict`` makes them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from edgeemo.errors import ImageError, ImageTooLargeError
from edgeemo.runtime.formats import to_jsonl
from edgeemo.runtime.prediction import NO_FACE, ImageResult, Prediction
from edgeemo.serve.body import Upload, parse_uploads, receive_body
from edgeemo.serve.problems import ProblemError
from edgeemo.serve.web import Response
from edgeemo.utils.text import one_line

if TYPE_CHECKING:
    from edgeemo.runtime.classifier import Classifier
    from edgeemo.serve.context import Context
    from edgeemo.serve.web import Request


_NICE = 10
"""By how much the threads that predict images of requests are nicer than those of a live run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an image, and the status that it would have alone."""

    result: ImageResult
    status: HTTPStatus = HTTPStatus.OK


class Predictor:
    """Predicts images of requests in threads of its own.

    Args:
        context: What all routes share.
        workers: Number of threads.
    """

    def __init__(self, context: Context, *, workers: int) -> None:
        self._models, self._gate, self._budget = context.models, context.gate, context.budget
        self._limits, self._counters = context.limits, context.counters
        yielding = _yield_to_live_image if context.source else None
        self._threads = ThreadPoolExecutor(workers, "predict", initializer=yielding)

    async def answer(self, request: Request) -> Response:
        """Return the predictions of a request's images."""
        self._gate.check()
        async with receive_body(request, limits=self._limits, budget=self._budget) as body:
            kind = request.headers.get("content-type", "")
            uploads = parse_uploads(kind, body, max_count=self._limits.images)
            is_single = uploads is None
            if uploads is None:
                uploads = [Upload("-", body)]
            del body
            _require_content(uploads)
            model = self._models.name
            classifier = self._models.classifier
            outcomes = [await self._predict(each, classifier) for each in uploads]
        return _reply(outcomes, model=model, faces=classifier.spec.faces is not None,
                      is_single=is_single)  # fmt: skip

    async def _predict(self, upload: Upload, classifier: Classifier) -> Outcome:
        async with self._gate.enter():
            loop = asyncio.get_running_loop()
            outcome = await loop.run_in_executor(self._threads, predict_upload, upload, classifier)
        self._count(outcome.result)
        return outcome

    def _count(self, result: ImageResult) -> None:
        self._counters.count_prediction(result.ms / 1000)
        labels = [each.label for each in result.predictions] or [NO_FACE]
        self._counters.predictions.update(["error"] if result.error is not None else labels)


def _yield_to_live_image() -> None:
    """Lower the priority of this thread, so that those of the camera and the page go first."""
    if sys.platform == "linux":  # elsewhere the number is not that of a thread alone
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.nice(0) + _NICE)


def predict_upload(upload: Upload, classifier: Classifier) -> Outcome:
    """Predict every face in an image, or record why it cannot be predicted.

    Args:
        upload: The image.
        classifier: The model.
    """
    begun = time.perf_counter()
    status, error = HTTPStatus.OK, None
    predictions: tuple[Prediction, ...] = ()
    try:
        predictions = classifier.predict_all(upload.content)
    except ImageTooLargeError as failure:
        status, error = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(failure)
    except ImageError as failure:
        status, error = HTTPStatus.UNPROCESSABLE_ENTITY, str(failure)
    except MemoryError:
        status, error = HTTPStatus.SERVICE_UNAVAILABLE, "there is not enough memory to predict it"
    except Exception as failure:  # one image never ends a run
        status, error = HTTPStatus.UNPROCESSABLE_ENTITY, one_line(failure)
    ms = (time.perf_counter() - begun) * 1000
    result = ImageResult(source=upload.name, predictions=predictions, error=error, ms=ms)
    return Outcome(result, status)


def _require_content(uploads: list[Upload]) -> None:
    if not uploads:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "the multipart body has no file; name it image=@FILE"
        )
    if len(uploads) == 1 and not uploads[0].content:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "the image is empty")


def _reply(outcomes: list[Outcome], *, model: str, faces: bool, is_single: bool) -> Response:
    """Return the results; the first error, where there is nothing else."""
    first = outcomes[0]
    if all(each.result.error is not None for each in outcomes):
        more = "" if is_single or len(outcomes) == 1 else f" (and {len(outcomes) - 1} more)"
        raise ProblemError(first.status, f"{first.result.error}{more}")
    images = ", ".join(to_jsonl(each.result, faces=faces) for each in outcomes)
    content = f'{{"model": {json.dumps(model)}, "images": [{images}]}}'
    return Response(content.encode(), media_type="application/json")
