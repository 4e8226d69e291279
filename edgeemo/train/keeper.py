"""Keepers: the actors of Ray's, on the command's machine, that all workers talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeemo.utils.cluster import import_ray

if TYPE_CHECKING:
    from edgeemo.train.data.pipeline import Pixels
    from edgeemo.train.data.shared_splits import SharedSplits
    from edgeemo.utils.progress import Progress


class Keeper:
    """Has the pixels, and passes messages to the driver.

    Args:
        images: The splits.
    """

    def __init__(self, images: SharedSplits) -> None:
        self._images = images
        self._rows: dict[str, Any] = {}
        self._messages: list[tuple[Any, ...]] = []

    def put_rows(self, split: str) -> list[Any]:
        """Return a reference to a split's rows, in a list, for nodes that cannot read its file."""
        if split not in self._rows:
            self._rows[split] = import_ray().put(self._images.open(split).rows)
        return [self._rows[split]]

    def send(self, *message: Any) -> None:
        """Take a message for the driver: a kind, and what belongs to it."""
        self._messages.append(message)

    def take(self) -> list[tuple[Any, ...]]:
        """Return the messages that came since the last time."""
        messages, self._messages = self._messages, []
        return messages


class KeeperProxy:
    """A keeper in a worker, and a `Progress`, which goes to the driver.

    Args:
        actor: Handle of the actor.
    """

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def call(self, name: str, *args: Any) -> Any:
        """Return the result of a method."""
        return import_ray().get(getattr(self._actor, name).remote(*args))

    def open_split(self, images: SharedSplits, name: str) -> Pixels:
        """Return a split: of its file, which this node may share, or from Ray's object store.

        Raises:
            ValueError: If it has other images.
            Exception: Any of Ray's, as where the object store is full.
        """
        try:
            return images.open(name)
        except OSError:
            (rows,) = self.call("put_rows", name)
            return images.open(name, import_ray().get(rows))

    def stage(self, name: str, *, total: int | None = None) -> None:
        """See `edgeemo.utils.progress.Progress`."""
        self._actor.send.remote("stage", name, total)

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """See `edgeemo.utils.progress.Progress`."""
        self._actor.send.remote("advance", steps, detail)

    def note(self, text: str) -> None:
        """See `edgeemo.utils.progress.Progress`."""
        self._actor.send.remote("note", text)


def pass_on(kind: str, values: list[Any], progress: Progress) -> None:
    """Pass a message of a `KeeperProxy` on; raise the exception of one of another kind."""
    if kind == "stage":
        progress.stage(values[0], total=values[1])
    elif kind == "advance":
        progress.advance(values[0], detail=values[1])
    elif kind == "note":
        progress.note(values[0])
    else:
        raise values[0]
