"""Run every command under strace with an empty home: what it sends, and what it leaves behind.

    python -m benchmarks.reliability.run traces

Needs the ``train``, ``tune``, ``live`` and ``sign`` extras and strace. Prints a line per command:
the calls that reach for a network, the files made outside the folder that the command works in, and
the files left in HOME and TMPDIR. docs/privacy.md promises none of either.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from benchmarks.reliability.check import Check, check_counts

_EDGEEMO = (
    "data draw faces --count 40 --size 48",
    "data check faces --html faces.html",
    "data clean faces --out clean",
    "data split faces --out split",
    "data crop faces --out crops",
    "recipes",
    "train --data faces --epochs 2 --size 32 --arch cnn-4-4-4-d16 --out m",
    "tune --data faces --trials 2 --epochs 1 --sizes 32 --out t",
    "export m --int8 --float16 --dynamic",
    "verify m",
    "info m",
    "models --default happy-sad",
    "doctor",
    "evaluate m --data faces --html evaluation.html",
    "compare m happy-sad --data faces --html comparison.html",
    "predict faces/happy --model m/int8.tflite",
    "predict faces/happy --model m/float32.onnx --json",
    "predict faces --annotate seen",
    "live test --seconds 2 --annotate a.mp4 --clip 1 --clips clips --html live.html --collect new",
    "bench m --seconds 1 --threads 1 --pick",
    "bundle m --out m.pyz",
    "bundle m --file float32.tflite --fallback float32.onnx --out fallback.pyz",
    "sign --key key.pem m.pyz m/int8.tflite",
    "verify-signature --key public.pem m.pyz",
)
COMMANDS = (
    *(f"-m edgeemo {words}" for words in _EDGEEMO),
    "-m edgeemo.runtime m/int8.tflite faces",
    "m.pyz selftest",
    "m.pyz predict faces",
    "m.pyz live test --seconds 1",
    "fallback.pyz info",
)
"""Arguments of Python, in their order, in one folder with a pair of keys."""
_MAKE_KEYS = (
    "openssl genpkey -algorithm ed25519 -out key.pem",
    "openssl pkey -in key.pem -pubout -out public.pem",
)
_NETWORK = re.compile(r"\b(?:connect|sendto|sendmsg|sendmmsg|bind)\(.*AF_INET6?\b")
_LOOPBACK = re.compile(r"\bbind\(.*\"::1\"")  # urllib3 finds out whether there is IPv6
_CREATED = re.compile(
    r"\b(?:openat|open|creat)\((?:\w+, )?\"(?P<path>[^\"]+)\"[^)]*?O_CREAT[^)]*\)?\s*"
    r"(?:= \d+|<unfinished)"
)


class TraceError(Exception):
    """strace is missing, or may not trace here."""


@dataclass(frozen=True)
class Trace:
    """What a command did.

    Attributes:
        status: Its exit status.
        err: Its standard error.
        network: System calls that reach for a network.
        outside: Files made outside its working folder, HOME and TMPDIR.
        left: Files left in HOME and in TMPDIR.
    """

    status: int
    err: str
    network: tuple[str, ...]
    outside: tuple[str, ...]
    left: tuple[str, ...]


def trace(command: list[str], *, cwd: Path) -> Trace:
    """Run a command under strace, with an empty HOME and an empty TMPDIR.

    Args:
        command: Program and arguments.
        cwd: The folder to work in, in which it may write.

    Raises:
        TraceError: If nothing can be traced here.
    """
    if which("strace") is None:
        raise TraceError("strace is not installed")
    with TemporaryDirectory() as place:
        log, home, tmp = (Path(place) / name for name in ("log", "home", "tmp"))
        home.mkdir()
        tmp.mkdir()
        done = subprocess.run(
            ["strace", "-f", "-qq", "-e", "trace=network,openat,open,creat", "-o", log, *command],
            cwd=cwd, env=_environment(home, tmp), capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        if not lines:
            raise TraceError(f"strace cannot trace here: {done.stderr.strip()}")
        allowed = (f"{cwd}/", f"{place}/", "/dev/", "/proc/")
        made = [str(cwd / found["path"]) for line in lines if (found := _CREATED.search(line))]
        return Trace(
            status=done.returncode,
            err=done.stderr,
            network=tuple(
                line for line in lines if _NETWORK.search(line) and not _LOOPBACK.search(line)
            ),
            outside=tuple(dict.fromkeys(path for path in made if not path.startswith(allowed))),
            left=tuple(str(path) for top in (home, tmp) for path in top.rglob("*")),
        )


def _environment(home: Path, tmp: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    own = {"HOME": str(home), "TMPDIR": str(tmp), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **own}


def measure(commands: tuple[str, ...] = COMMANDS) -> list[Check]:
    """Return the check of every command, and print what it sent and left."""
    network = outside = left = failed = 0
    with TemporaryDirectory() as place:
        for words in _MAKE_KEYS:
            subprocess.run(words.split(), cwd=place, check=True, capture_output=True)
        for words in commands:
            found = trace([sys.executable, *words.split()], cwd=Path(place))
            network += len(found.network)
            outside += len(found.outside)
            left += len(found.left)
            failed += found.status != 0
            print(f"{words}: exit {found.status}", flush=True)
            print(*found.network, *found.outside, *found.left, sep="\n", file=sys.stderr)
            if found.status:
                print(found.err, file=sys.stderr)
    return [
        check_counts(
            f"{len(commands)} commands under strace with an empty HOME: network calls / files "
            "outside of the folder / files left in HOME or TMPDIR / commands that failed",
            [network, outside, left, failed],
        )
    ]
