"""Run commands on a whole emulated Pi whose clock counts instructions (QEMU's system mode).

With ``-icount shift=0`` the machine's clock advances by a nanosecond with each instruction, so a
program that reads the clock counts its instructions, and counts the same the next time. Addresses
are not random, for the same reason. Instructions are not milliseconds: caches, memory and the width
of a core do not count.

The machine has one core, Debian's arm64 cloud kernel, and as its only disk an archive in memory
with Debian's Python, the wheels and the job.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from edgeemo.utils.files import new_folder
from emulation import guest
from emulation.root import (
    CACHE,
    EmulationError,
    find_missing_packages,
    lock_folder,
    unpack_debian,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emulation.processors import Processor
    from emulation.root import Root

TOOLS = {"qemu-system-aarch64": "qemu-system-arm", "cpio": "cpio"}
"""Program to its Debian package."""

_KERNEL_RELEASE = "bookworm"
_KERNEL_PACKAGE = "linux-image-cloud-arm64"
_MEMORY_MB = 2048
_TIMEOUT = 1800  # seconds
_INIT = "/job/guest.py"


@dataclass(frozen=True, kw_only=True)
class Step:
    """The outcome of one command.

    Attributes:
        status: Its exit status; negative where a signal ended it.
        instructions: From before the process was made to its end, the kernel's included.
        peak_mb: Its peak memory as the kernel accounts for it, in MB (2 to the power of 20 bytes).
        stdout: Its standard output.
        stderr: Its standard error.
    """

    status: int
    instructions: int
    peak_mb: float
    stdout: str
    stderr: str


def run_steps(
    root: Root,
    processor: Processor,
    job: Path,
    steps: Sequence[Sequence[str]],
    *,
    kernel: Path | None = None,
) -> list[Step]:
    """Start the machine, run commands one after the other, and switch it off.

    Args:
        root: The arm64 Debian, whose wheels are in /site there.
        processor: Which Pi's processor.
        job: A folder whose files are in /job there.
        steps: The commands; "python3" stands for the root's Python.
        kernel: The kernel; by default that of `find_kernel`.

    Returns:
        One per command.

    Raises:
        EmulationError: If a program is missing, a command fails, or the machine does not report.
    """
    if missing := find_missing_packages(TOOLS):
        raise EmulationError(f"counting instructions requires: apt install {' '.join(missing)}")
    python = f"/usr/bin/{root.python.name}"
    commands = [[python if word == "python3" else word for word in step] for step in steps]
    with tempfile.TemporaryDirectory() as work:
        disk = Path(work) / "disk.cpio"
        _write_disk(disk, root, job, commands)
        reports = _boot(processor, disk, python, kernel or find_kernel())
    done = [Step(**fields) for fields in reports]
    for step, words in zip(done, commands, strict=True):
        if step.status:
            reason = (step.stderr.strip().splitlines() or ["no message"])[-1]
            raise EmulationError(f"on {processor.name}, {' '.join(words[:4])} ...: {reason}")
    return done


def find_kernel(cache: Path = CACHE) -> Path:
    """Return Debian's arm64 kernel, downloaded if it is not in the cache.

    Raises:
        EmulationError: If Debian's mirror cannot be reached.
    """
    folder = cache / f"kernel-{_KERNEL_RELEASE}"
    with lock_folder(folder):
        if not folder.exists():
            with new_folder(folder) as partial, tempfile.TemporaryDirectory() as work:
                unpacked = Path(work) / "root"
                unpack_debian(_KERNEL_RELEASE, unpacked, _KERNEL_PACKAGE)
                (found,) = (unpacked / "boot").glob("vmlinuz-*")
                shutil.copy(found, partial / found.name)
    return next(folder.glob("vmlinuz-*"))


def _write_disk(disk: Path, root: Root, job: Path, commands: Sequence[Sequence[str]]) -> None:
    """Write the archive that Linux unpacks into memory as /: several, one after the other."""
    with tempfile.TemporaryDirectory() as work:
        own = Path(work) / "job"
        shutil.copytree(job, own)
        shutil.copy(guest.__file__, own / Path(_INIT).name)
        (own / Path(guest.STEPS).name).write_text(json.dumps(commands), encoding="utf-8")
        for name in ("proc", "sys", "dev", "tmp"):
            (Path(work) / name).mkdir()
        with disk.open("wb") as stream:
            for folder, inside in ((root.path, "."), (Path(work), "."), (root.folder, "site")):
                _append(stream, folder, inside)


def _append(stream: BinaryIO, folder: Path, inside: str) -> None:
    """Append an archive of a folder's files, under their paths from that folder."""
    find = ["find", inside, "-print0"]
    names = subprocess.run(find, cwd=folder, stdout=subprocess.PIPE, check=True).stdout
    ordered = b"\0".join(sorted(names.split(b"\0"))).lstrip(b"\0")
    command = ["cpio", "--quiet", "--null", "--create", "--format=newc", "--owner=0:0"]
    subprocess.run(command, cwd=folder, input=ordered, stdout=stream, check=True)


def _boot(processor: Processor, disk: Path, python: str, kernel: Path) -> list[dict[str, object]]:
    command = [
        "qemu-system-aarch64", "-machine", "virt", "-cpu", processor.name, "-smp", "1",
        "-m", str(_MEMORY_MB), "-icount", "shift=0,sleep=off", "-nodefaults", "-nographic",
        "-serial", "stdio", "-no-reboot", "-kernel", str(kernel), "-initrd", str(disk),
        "-append", f"console=ttyAMA0 quiet panic=-1 norandmaps rdinit={python} -- {_INIT}",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT, errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise EmulationError(
            f"the emulated {processor.name} did not end within {_TIMEOUT} s"
        ) from None
    for line in done.stdout.splitlines():
        if line.startswith(guest.MARK):
            report: list[dict[str, object]] = json.loads(line.removeprefix(guest.MARK))
            return report
    lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
    raise EmulationError(f"the emulated {processor.name} does not report: {lines[-1]}")
