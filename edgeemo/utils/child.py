"""Run a function in a process of its own, which may crash without harm. Standard library only.

A new interpreter is started: a process that has imported TensorFlow cannot be forked. Function and
arguments go there as a pickle; progress, result and exception come back in the same way.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from contextlib import ExitStack, closing, suppress
from types import GeneratorType
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from edgeemo.errors import EdgeEmoError
from edgeemo.utils.redirect import show_output, shows_output

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from edgeemo.utils.progress import Progress

_CODE = "from edgeemo.utils.child import main; main()"
_GRACE_S = 2
_PATIENCE_S = 20
"""Seconds that an interrupted child has to remove what it began."""


class ChildCrashedError(Exception):
    """A child that ended without a result.

    Attributes:
        ended_by: The signal, such as "SIGSEGV", or its exit status in words.
        stage: Name of the stage of the progress in which it ended; "" before the first.
        detail: Last detail of that stage; "" where there was none.
    """

    def __init__(self, ended_by: str, stage: str, detail: str = "") -> None:
        super().__init__(ended_by)
        self.ended_by, self.stage, self.detail = ended_by, stage, detail


def run_in_child(
    function: Callable[..., Any], *args: Any, progress: Progress, **kwargs: Any
) -> Any:
    """Return ``function(*args, progress=progress, **kwargs)``, run in a new process.

    Args:
        function: A function of a module.
        args: Its arguments, which can be pickled, as its result can.
        progress: Gets the progress of the function.
        kwargs: Its further arguments.

    Raises:
        ChildCrashedError: If the process ended without a result.
        Exception: Whatever the function raises.
    """
    stream = iterate_in_child(function, *args, progress=progress, **kwargs)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value


def iterate_in_child(
    function: Callable[..., Any], *args: Any, progress: Progress, **kwargs: Any
) -> Generator[Any, None, Any]:
    """Yield what a generator function yields in a new process, which waits until it is taken.

    Closing the generator ends the process, as Ctrl-C does.

    Args:
        function: As of `run_in_child`.
        args: As of `run_in_child`.
        progress: As of `run_in_child`.
        kwargs: As of `run_in_child`.

    Raises:
        ChildCrashedError: As `run_in_child`.
        Exception: Whatever the function raises.
    """
    reached = ["", ""]
    request = pickle.dumps((function, args, kwargs, shows_output()))
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", _CODE],  # -P: no module of the current folder
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if shows_output() else subprocess.DEVNULL,
    )
    writing, reading = cast("BinaryIO", child.stdin), cast("BinaryIO", child.stdout)
    try:
        with suppress(BrokenPipeError), writing:
            writing.write(request)
        outcome = yield from _follow(reading, progress, reached)
        status = child.wait()
    except BaseException:
        _end(child)
        raise
    finally:
        reading.close()
    if outcome is None:
        raise ChildCrashedError(_describe_status(status), *reached)
    kind, value = outcome
    if kind == "error":
        raise value
    return value


def _follow(
    stream: BinaryIO, progress: Progress, reached: list[str]
) -> Generator[Any, None, tuple[str, Any] | None]:
    """Yield values and pass progress on until the result or the exception comes, and return that.

    The last stage and its last detail are left in `reached`. None is returned if neither comes.
    """
    while True:
        try:
            kind, *values = pickle.load(stream)
        except (EOFError, pickle.UnpicklingError):
            return None
        if kind in ("result", "error"):
            return kind, values[0]
        if kind == "value":
            yield values[0]
            continue
        name, args, kwargs = values
        getattr(progress, name)(*args, **kwargs)
        if name == "stage":
            reached[:] = args[0], ""
        elif kwargs.get("detail"):
            reached[1] = kwargs["detail"]


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child as Ctrl-C does, so that it removes what it began."""
    try:
        child.wait(_GRACE_S)  # the terminal has sent it Ctrl-C, too
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
    try:
        child.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _describe_status(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def main() -> None:
    """Run the function that standard input names; the results go to standard output."""
    with os.fdopen(os.dup(1), "wb") as stream, ExitStack() as scope:
        os.dup2(2, 1)  # whatever is printed must not come between the messages
        function, args, kwargs, shows = pickle.load(sys.stdin.buffer)
        if shows:
            scope.enter_context(show_output())
        messages = _Messages(stream)
        try:
            result = function(*args, progress=_Sent(messages), **kwargs)
            if isinstance(result, GeneratorType):
                result = messages.send_values(result)
        except KeyboardInterrupt:
            os._exit(130)
        except Exception as error:
            messages.send("error", make_portable(error))
        else:
            messages.send("result", result)


class _Messages:
    """Stream of pickles to the parent."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def send(self, *message: Any) -> None:
        self._stream.write(pickle.dumps(message))
        self._stream.flush()

    def send_values(self, values: Generator[Any, None, Any]) -> Any:
        """Send what a generator yields; return what it returns."""
        with closing(values):
            while True:
                try:
                    self.send("value", next(values))
                except StopIteration as end:
                    return end.value


class _Sent:
    """A `Progress` that is sent to the parent."""

    def __init__(self, messages: _Messages) -> None:
        self._messages = messages

    def stage(self, name: str, *, total: int | None = None) -> None:
        """See `edgeemo.utils.progress.Progress`."""
        self._messages.send("progress", "stage", (name,), {"total": total})

    def advance(self, steps: int = 1, *, detail: str = "") -> None:
        """See `edgeemo.utils.progress.Progress`."""
        self._messages.send("progress", "advance", (steps,), {"detail": detail})

    def note(self, text: str) -> None:
        """See `edgeemo.utils.progress.Progress`."""
        self._messages.send("progress", "note", (text,), {})


def make_portable(error: Exception) -> Exception:
    """Return an exception that survives a pickle: itself, or one of its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return EdgeEmoError(str(error) or type(error).__name__)
    return error
