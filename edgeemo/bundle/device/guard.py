"""Run something in a child process, so that a crash of an engine ends in one line."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from edgeemo.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

_MEANING = {
    signal.SIGILL: "it uses instructions that this processor does not have",
    signal.SIGKILL: "it was killed, probably for want of memory",
}


def guarded(work: Callable[[], int]) -> int:
    """Do something in a forked child and hand on its exit status.

    Called before numpy and an engine are loaded, it costs about a millisecond and no memory.

    Args:
        work: What to do; it prints its own errors.

    Returns:
        What `work` returned.

    Raises:
        EngineError: If the child was ended by a signal.
    """
    child = os.fork()
    if child == 0:
        _work_and_end(work)
    try:
        _, status = os.waitpid(child, 0)
    except KeyboardInterrupt:  # the child got it as well, and says what there is to say
        _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        return os.WEXITSTATUS(status)
    ended_by = signal.Signals(os.WTERMSIG(status))
    meaning = _MEANING.get(ended_by, "the model cannot be run here")
    raise EngineError(
        f"the engine or numpy crashed ({ended_by.name}): {meaning}; a bundle of the other format "
        "may run (edgeemo bundle --file NAME.onnx for NAME.tflite, or the other way round)"
    )


def _work_and_end(work: Callable[[], int]) -> NoReturn:
    status = 1
    try:
        status = work()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)
