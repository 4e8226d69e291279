"""A trial of a model file in a process of its own, which a broken file may crash, hang or fill.

A file that passed its verification here is not tried. Standard library only, but for the engine.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from edgeemo.engines.load import import_engine, load_engine
from edgeemo.errors import EngineError, MissingExtraError, describe_crash

if TYPE_CHECKING:
    from edgeemo.model.container import SealedModel

TIMEOUT_S = 60
"""Longest time of a trial, in seconds."""

MAX_BYTES = 4 << 30
"""Most memory that a model may add to the process."""

_MAX_TEXT = 1 << 14
_MEMORY = "/proc/self/statm"
_WINDOWS_CRASH = 0xC0000000  # smallest exit status of a process that an error of its own ended
_passed: set[str] = set()


def try_model(model: SealedModel) -> None:
    """Load a model and predict one image, in a process of its own; once for the same bytes.

    A process with one thread is forked, which takes the time of the prediction. One with several is
    not: a lock of another thread would never be released in the copy. There a new interpreter is
    started, where there is one.

    Args:
        model: As `edgeemo.model.container.unseal` returns it.

    Raises:
        EngineError: If the model is faulty; if the engine refuses it, fails to predict with it,
            crashes or hangs, or cannot be loaded.
        MissingExtraError: If the engine is not installed.
    """
    if model.sha256 in _passed:
        return
    import_engine(model.format)
    _refuse_faulty(model)
    problem = _try_in_copy(model) if _has_one_thread() else _try_in_interpreter(model)
    if problem:
        raise EngineError(problem)
    _passed.add(model.sha256)


def _refuse_faulty(model: SealedModel) -> None:
    """Refuse a TFLite model that would crash its engine, with a plainer reason than that."""
    if model.format != "tflite":
        return
    from edgeemo.engines.flatbuffer import find_fault

    content = model.content
    if content is None:
        with open(model.path, "rb") as stream:  # noqa: PTH123
            content = stream.read()
    fault = find_fault(content)
    if fault:
        raise EngineError(f"{model.path}: its TFLite model is faulty: {fault}")


def main() -> None:
    """Try the file that the command line names, and write what is wrong to standard output.

    The format is named, too: a file in the making has a suffix of its own.
    """
    path, format = sys.argv[1:]
    writing = os.dup(1)
    _run_and_end(_open(path, format), writing)


def _open(path: str, format: str) -> SealedModel:
    from edgeemo.model.container import unseal, unseal_bytes

    if path.endswith(f".{format}"):
        return unseal(path)
    from dataclasses import replace

    with open(path, "rb") as stream:  # noqa: PTH123
        return replace(unseal_bytes(stream.read(), name=f"model.{format}"), path=path)


def _has_one_thread() -> bool:
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - pathlib is slow to import
    except OSError:  # not Linux
        return False


def _try_in_copy(model: SealedModel) -> str:
    """Return what is wrong with the model, tried in a forked process; an empty text for nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _run_and_end(model, writing)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            problem = pipe.read(_MAX_TEXT).decode(errors="replace")
        status = os.waitpid(child, 0)[1]
    except BaseException:  # Ctrl-C above all
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    return _explain(model, os.waitstatus_to_exitcode(status), problem)


def _try_in_interpreter(model: SealedModel) -> str:
    """Return what is wrong with the model, tried by a new interpreter."""
    if not sys.executable or not os.path.isfile(model.path):  # noqa: PTH113
        return ""
    import subprocess

    code = "from edgeemo.engines.trial import main; main()"
    try:
        tried = subprocess.run(
            [sys.executable, "-c", code, model.path, model.format],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=2 * TIMEOUT_S,  # where it cannot end itself
        )
    except subprocess.TimeoutExpired:
        return _describe_slow(model)
    except OSError:  # no process can be started, as under an emulator
        return ""
    return _explain(model, tried.returncode, tried.stdout.decode(errors="replace"))


def _explain(model: SealedModel, status: int, problem: str) -> str:
    if status >= _WINDOWS_CRASH:
        return f"{model.path}: {describe_crash(f'0x{status:08X}')}"
    if status >= 0:
        return problem
    ended_by = signal.Signals(-status)
    if ended_by == signal.SIGALRM:
        return _describe_slow(model)
    return f"{model.path}: {describe_crash(ended_by.name)}"


def _run_and_end(model: SealedModel, writing: int) -> NoReturn:
    """Try the model, write what is wrong, and end the process without its exit handlers."""
    try:
        if "faulthandler" in sys.modules:  # which would write of a crash to a screen of its own
            sys.modules["faulthandler"].disable()
        if hasattr(signal, "SIGALRM"):  # not on Windows
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(TIMEOUT_S)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        limit_memory()
        import numpy as np

        load_engine(model).run(np.zeros(model.spec.input_shape, np.uint8))
    except EngineError as error:
        os.write(writing, str(error).encode(errors="replace")[:_MAX_TEXT])
    except MemoryError:
        os.write(writing, f"{model.path}: there is not enough memory to run it".encode())
    except MissingExtraError:
        pass  # the caller's own loading says so
    finally:
        os._exit(0)


def _describe_slow(model: SealedModel) -> str:
    return f"{model.path}: its first prediction takes more than {TIMEOUT_S} seconds"


def limit_memory() -> None:
    """Limit the memory that the model may add, where the system tells how much there is by now."""
    try:
        import resource
    except ImportError:  # Windows
        return
    if not os.path.exists(_MEMORY):  # noqa: PTH110 - macOS
        return
    with open(_MEMORY, "rb") as stream:  # noqa: PTH123
        taken = int(stream.read().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = taken + MAX_BYTES
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
