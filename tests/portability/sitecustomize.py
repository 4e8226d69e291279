"""Take from Python what another system lacks: run by every Python whose path has this folder.

SIMULATED_SYSTEM is "darwin" or "win32". What the standard library and the packages of others need
is imported first, and keeps what is taken: they know those systems, and this is Linux. So only
edgeemo's own code misses it. `os.name`, paths and the interpreter itself stay those of Linux.
"""

from __future__ import annotations

import asyncio  # noqa: F401
import builtins
import concurrent.futures.thread  # noqa: F401
import ctypes  # noqa: F401
import errno
import io
import multiprocessing.pool  # noqa: F401
import os
import platform
import shutil  # noqa: F401
import signal
import subprocess  # noqa: F401
import sys
import sysconfig
import tempfile  # noqa: F401
import zipfile  # noqa: F401
from importlib import import_module
from types import ModuleType

LINUX_ONLY = (
    "sched_getaffinity", "sched_setaffinity", "posix_fallocate", "posix_fadvise", "pipe2",
    "memfd_create", "getrandom", "copy_file_range", "splice", "eventfd", "pidfd_open", "fdatasync",
    "getxattr", "setxattr", "listxattr", "removexattr", "unshare", "O_TMPFILE", "O_PATH",
    "O_DIRECT", "O_NOATIME",
)  # fmt: skip
UNIX_ONLY = (
    "fork", "forkpty", "register_at_fork", "uname", "wait", "waitpid", "wait3", "wait4", "waitid",
    "WNOHANG", "WIFEXITED", "WEXITSTATUS", "getuid", "geteuid", "getgid", "getegid", "getgroups",
    "getpgid", "getpgrp", "getsid", "setsid", "killpg", "nice", "getloadavg", "sysconf", "pathconf",
    "fpathconf", "statvfs", "fstatvfs", "mkfifo", "mknod", "chown", "fchown", "lchown", "fchmod",
    "chroot", "pread", "pwrite", "preadv", "pwritev", "readv", "writev", "sync", "ttyname",
    "openpty", "tcgetpgrp", "lockf", "confstr", "ctermid", "sendfile", "getpriority",
    "O_NONBLOCK", "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NOCTTY", "O_SYNC",
)  # fmt: skip
UNIX_SIGNALS = (
    "SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGCHLD",
    "SIGSTOP", "SIGCONT", "SIGTSTP", "SIGWINCH", "alarm", "setitimer", "getitimer", "pause",
    "pthread_sigmask", "pthread_kill", "sigwait", "sigtimedwait", "siginterrupt", "ITIMER_REAL",
)  # fmt: skip
UNIX_MODULES = ("fcntl", "resource", "termios", "pwd", "grp", "tty", "pty", "syslog", "posix")
OTHERS = (
    "numpy", "PIL.Image", "PIL.ImageCms", "ai_edge_litert.interpreter", "onnxruntime", "typer",
    "rich.console", "urllib.request", "paho.mqtt.client", "uvicorn", "starlette.applications",
)  # fmt: skip
TRAINING = (
    "tensorflow", "keras", "onnx", "tf2onnx", "matplotlib.pyplot", "scipy.stats", "jinja2",
    "imagehash", "h5py",
)  # fmt: skip


def become(system: str) -> None:
    """Take away what `system` lacks."""
    platform.uname()  # kept from here on, as are these
    sysconfig.get_config_vars()
    for module in OTHERS + (TRAINING if "SIMULATED_TRAINING" in os.environ else ()):
        _import(module)
    _hide_linux_files()
    _keep_for_others(os)
    _keep_for_others(signal)
    sys.platform = system
    _delete(os, LINUX_ONLY)
    if system == "win32":
        _delete(os, UNIX_ONLY)
        _delete(signal, UNIX_SIGNALS)
        _delete(sys.modules["_signal"], UNIX_SIGNALS)
        sys.modules.update(dict.fromkeys(UNIX_MODULES))
        os.O_BINARY = 0
        os.open, os.rename = _open_like_windows(os.open), _rename_like_windows(os.rename)


def _keep_for_others(module) -> None:
    """Let every module imported so far have a copy of another, from which nothing is taken."""
    kept = ModuleType(module.__name__)
    kept.__dict__.update(module.__dict__)
    for each in list(sys.modules.values()):
        if isinstance(each, ModuleType) and each.__name__ != __name__:
            for name, value in list(vars(each).items()):
                if value is module:
                    setattr(each, name, kept)


def _import(module: str) -> None:
    try:
        import_module(module)
    except ImportError:
        return


def _delete(module, names) -> None:
    for name in names:
        if hasattr(module, name):
            delattr(module, name)


def _hide_linux_files() -> None:
    """Let /proc and /sys not exist."""
    builtins.open = io.open = _without_linux_files(open)
    for name in ("open", "listdir", "stat", "scandir"):
        setattr(os, name, _without_linux_files(getattr(os, name)))


def _without_linux_files(function):
    def call(path=".", *rest, **named):
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(("/proc/", "/sys/")):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), os.fspath(path))
        return function(path, *rest, **named)

    return call


def _open_like_windows(function):
    def call(path, *rest, **named):
        if os.path.isdir(path):  # noqa: PTH112
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        return function(path, *rest, **named)

    return call


def _rename_like_windows(function):
    def call(source, target, **named):
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target))
        return function(source, target, **named)

    return call


if os.environ.get("SIMULATED_SYSTEM"):
    become(os.environ["SIMULATED_SYSTEM"])
