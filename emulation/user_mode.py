"""Run the arm64 Python as one of the Pis' processors, program by program (QEMU's user mode).

The kernel, the clock and the files are this machine's; the instructions, the libraries and the
Python are the Pi's. An instruction that the processor lacks ends the program with SIGILL.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from emulation.processors import Processor
    from emulation.root import Root

_QEMU = "qemu-aarch64-static"
_SCRIPT = """#!/bin/sh
# {python} as {processor}; what -0 says is where Python looks for its virtual environment.
exec {qemu} -cpu {processor} -L "{prefix}" -0 "$0" "{python}" "$@"
"""


def run(
    root: Root,
    processor: Processor,
    words: Sequence[object],
    *,
    packages: bool = True,
    prefix: Path | None = None,
    environment: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run Python as on a Pi.

    Args:
        root: The arm64 Debian.
        processor: Which Pi's.
        words: What follows "python3" on the command line.
        packages: Whether the wheels are installed there.
        prefix: Another root than the processor's own, see `emulation.root.overlay`.
        environment: Variables besides those of `environment_of`.
        options: Passed on to `subprocess.run`, which keeps both outputs unless told otherwise.
    """
    seen = prefix or root.prefix(processor)
    command = [_QEMU, "-cpu", processor.name, "-L", str(seen), str(root.python), *map(str, words)]
    variables = environment_of(root, packages=packages) | dict(environment or {})
    outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run(command, check=False, text=True, env=variables, **{**outputs, **options})


def environment_of(root: Root, *, packages: bool = True) -> dict[str, str]:
    """The variables that an emulated process starts with: none of this machine's Python.

    Args:
        root: The arm64 Debian, where nothing is written.
        packages: Whether its wheels are to be found.
    """
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "LC_ALL": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",  # numpy's threads wait for each other for seconds
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {**variables, "PYTHONPATH": str(root.site)} if packages else variables


def python_for(root: Root, processor: Processor, folder: Path) -> Path:
    """A program to call as Python is called on the Pi, from scripts and for virtual environments.

    Args:
        root: The arm64 Debian.
        processor: Which Pi's.
        folder: Where to put it, and links that make it look like an installed Python.

    Returns:
        ``FOLDER/bin/python3``.
    """
    program = folder / "bin" / "python3"
    program.parent.mkdir(parents=True)
    program.write_text(
        _SCRIPT.format(
            qemu=_QEMU, processor=processor.name, prefix=root.prefix(processor), python=root.python
        ),
        encoding="utf-8",
    )
    program.chmod(0o755)
    library = f"lib/{root.python.name}"
    (folder / "lib").mkdir()
    (folder / library).symlink_to(root.path / "usr" / library)
    return program
