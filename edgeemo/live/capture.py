"""Images from a camera into a folder per class, by keys of a terminal."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from edgeemo.errors import ImageError, OptionError
from edgeemo.live.loop import WAIT_S
from edgeemo.live.outputs.clock import Clock
from edgeemo.utils.files import write_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edgeemo.live.controls import Controls
    from edgeemo.live.frame import Frame, FramePixels
    from edgeemo.live.loop import FrameSupply

QUALITY = 95
"""Quality of the JPEGs, 1 to 100, of a camera that gives none itself."""

PAUSE, QUIT = " ", "q"
"""Keys that pause, and end."""

_POLL_S = 0.05


class KeyInput(Protocol):
    """Keys that are pressed."""

    def read(self) -> str:
        """Return the key that was pressed since the last call; "" for none."""


class NoKeys:
    """The keys of somebody who presses none."""

    def read(self) -> str:
        """Return ""."""
        return ""


def choose_keys(classes: Sequence[str]) -> dict[str, str]:
    """Return the key of each class: its first letter that no other has, else a digit.

    Args:
        classes: Names of the classes.

    Returns:
        Key to class, in the order of the classes.

    Raises:
        OptionError: If a class is named twice, cannot be a folder, or there are more than keys.
    """
    keys: dict[str, str] = {}
    taken = {PAUSE, QUIT}
    for name in classes:
        if name in keys.values() or not _is_folder_name(name):
            raise OptionError(f"--classes: {name!r} is named twice or cannot be a folder")
        own = [each for each in (*name.lower(), *"123456789") if each.isalnum()]
        key = next((each for each in own if each not in taken), None)
        if key is None:
            raise OptionError("--classes: more classes than keys")
        taken.add(key)
        keys[key] = name
    return keys


def _is_folder_name(name: str) -> bool:
    return not name.startswith(".") and not set(name) & set("/\\\0") and name == name.strip() != ""


@dataclass(kw_only=True)
class Capture:
    """A session in which images are taken.

    Attributes:
        folder: The folder of the classes' folders.
        keys: Key to class.
        every_s: Seconds between two images, while a class is chosen.
        label: The class that is chosen; "" while it pauses.
        taken: Number of images taken of each class.
        present: Number of images in each class's folder before.
    """

    folder: Path
    keys: dict[str, str]
    every_s: float
    label: str = ""
    taken: dict[str, int] = field(default_factory=dict)
    present: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for label in self.keys.values():
            self.taken[label] = 0
            folder = self.folder / label
            self.present[label] = sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0
        self._last_label = ""
        self._due = 0.0

    def press(self, key: str) -> None:
        """Follow a key: a class's chooses it, the space bar pauses and resumes.

        Args:
            key: The key, in any case.
        """
        if key == PAUSE:
            self.label, self._last_label = ("" if self.label else self._last_label), self.label
        elif key.lower() in self.keys:
            self.label, self._due = self.keys[key.lower()], 0.0

    def take(self, frame: Frame) -> bool:
        """Store a frame, if a class is chosen and it is time; return whether it was stored.

        Raises:
            OSError: If it cannot be written.
        """
        now = time.monotonic()
        if not self.label or now < self._due:
            return False
        try:
            jpeg = encode_jpeg(frame.pixels)
        except ImageError:  # the next one may be whole
            return False
        self._due = now + self.every_s
        write_file(self._choose_path(now), jpeg)
        self.taken[self.label] += 1
        return True

    def _choose_path(self, now: float) -> Path:
        """Return the path of an image that is taken now, which no other has."""
        folder = self.folder / self.label
        folder.mkdir(parents=True, exist_ok=True)
        name = Clock(is_live=True).to_name(now)
        while (path := folder / f"{name}.jpg").exists():  # the clock may have been set back
            name += "-"
        return path

    def describe(self) -> str:
        """Return the keys, the number of images of each class, and the class that is chosen."""
        counts = "  ".join(
            f"[{key}] {label} {self.present[label] + self.taken[label]}"
            for key, label in self.keys.items()
        )
        return f"{counts}  [space] {'pause' if self.label else 'paused'}  [q] end  {self.label}"


def encode_jpeg(pixels: FramePixels) -> bytes:
    """Return a frame as a JPEG file: the camera's own, where it gives one.

    Raises:
        ImageError: If the frame is damaged.
    """
    if pixels.jpeg is not None and min(pixels.size) > 0:
        return pixels.jpeg
    content = io.BytesIO()
    pixels.decode().save(content, "JPEG", quality=QUALITY)
    return content.getvalue()


def run_capture(
    session: Capture,
    reader: FrameSupply,
    keys: KeyInput,
    *,
    controls: Controls,
    show: Callable[[str], None],
) -> None:
    """Take images until a key or a signal ends it, or the source does.

    Args:
        session: The session.
        reader: Gives the frames.
        keys: Gives the keys.
        controls: Its `stop` ends the session.
        show: Receives the line to show, each time that it may have changed.

    Raises:
        SourceError: If the source is lost for good.
        OSError: If an image cannot be written.
    """
    show(session.describe())
    while not (controls.stop or reader.has_ended):
        key = keys.read()
        if key.lower() == QUIT:
            break
        session.press(key)
        frame = reader.take(min(WAIT_S, _POLL_S))
        reader.take_events()
        if (frame is not None and session.take(frame)) or key:
            show(session.describe())
