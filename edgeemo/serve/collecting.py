"""Faces that a person labels on the page, kept to train on."""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING

from edgeemo.errors import ImageError
from edgeemo.live.crops import MAX_CROPS, crop_as_seen, label_folder, name_crop
from edgeemo.serve.problems import ProblemError
from edgeemo.utils.files import write_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeemo.live.observation import Observation, TrackedFace
    from edgeemo.live.outputs.clock import Clock
    from edgeemo.model.spec import ModelSpec
    from edgeemo.serve.hub import Hub, Moment

_REMEMBERED = 6
"""Frames that pages were shown last; a page asks for a face of one of them."""
_HELD = 16


@dataclass(frozen=True, slots=True)
class _HeldFace:
    """A crop that waits for its label."""

    png: bytes
    stem: str
    labels: tuple[str, ...]


class LabelledFaces:
    """Writes crops of faces into a folder per label, which a person has given.

    A crop is what the model saw, in colour and before it was reduced. Several threads may use it.

    Args:
        folder: The folder, of --collect.
        hub: What was seen last.
        spec: Returns the specification of the present model.
        clock: The meaning of times.
    """

    def __init__(
        self, folder: Path, hub: Hub, *, spec: Callable[[], ModelSpec], clock: Clock
    ) -> None:
        self._folder, self._hub, self._spec, self._clock = folder, hub, spec, clock
        self._shown: deque[Moment] = deque(maxlen=_REMEMBERED)
        self._held: OrderedDict[str, _HeldFace] = OrderedDict()
        self._lock = Lock()

    def remember(self, moment: Moment) -> None:
        """Remember a frame that a page is shown."""
        if not self._shown or self._shown[-1] is not moment:
            self._shown.append(moment)

    def hold(self, frame: int, face: int) -> str:
        """Hold the crop of a face until its label is known.

        Args:
            frame: Number of the frame in which it was clicked at; of an older one the newest is
                taken.
            face: Its number.

        Returns:
            The name of the crop.

        Raises:
            ProblemError: 404 if the face has gone, 422 if its frame is damaged.
        """
        seen, found = self._find(frame, face)
        try:
            held = self._crop(seen, found)
        except ImageError as error:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        name = secrets.token_hex(8)
        with self._lock:
            self._held[name] = held
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return name

    def label(self, name: str, label: str) -> str:
        """Write a held crop into the folder of its label.

        Args:
            name: Of `hold`.
            label: The label, one of the model.

        Returns:
            The file, relative to the folder.

        Raises:
            ProblemError: 404 if it is held no longer, 422 if there is no such label, 507 if the
                folder is full or cannot be written.
        """
        with self._lock:
            held = self._held.get(name)
            if held is None:
                raise ProblemError(HTTPStatus.NOT_FOUND, "the face was let go; click at it again")
            if label not in held.labels:
                raise ProblemError(
                    HTTPStatus.UNPROCESSABLE_ENTITY, f"the labels are {', '.join(held.labels)}"
                )
            path = self._write(held, label)
            del self._held[name]
        return str(path.relative_to(self._folder))

    def _find(self, frame: int, face: int) -> tuple[Observation, TrackedFace]:
        newest = [self._hub.newest] if self._hub.newest else []
        shown = [each for each in tuple(self._shown) if each.seen.frame.number == frame]
        for moment in (*shown, *newest):
            for each in moment.seen.faces:
                if each.id == face:
                    return moment.seen, each
        raise ProblemError(HTTPStatus.NOT_FOUND, "the face has gone; click at it while it is there")

    def _crop(self, seen: Observation, face: TrackedFace) -> _HeldFace:
        spec = self._spec()
        image = seen.frame.pixels.decode()
        box = face.raw.face if face.raw and face.raw.face else face.face
        stream = BytesIO()
        crop_as_seen(image, box, spec).save(stream, "PNG")
        when = self._clock.to_name(seen.frame.time_s)
        return _HeldFace(stream.getvalue(), f"{when}_face-{face.id}_labelled", spec.labels)

    def _write(self, held: _HeldFace, label: str) -> Path:
        if sum(1 for _ in self._folder.rglob("*.png")) >= MAX_CROPS:
            raise ProblemError(
                HTTPStatus.INSUFFICIENT_STORAGE, f"{self._folder} holds {MAX_CROPS:,} faces already"
            )
        folder = label_folder(self._folder, label)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return write_file(folder / name_crop(held.stem, folder), held.png)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ProblemError(
                HTTPStatus.INSUFFICIENT_STORAGE, f"{folder}: cannot be written: {reason}"
            ) from None
