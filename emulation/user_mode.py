"""Run the arm64 Python as one of the Pis' processors, program by program (QEMU's user mode).

The kernel, the clock and the files are this machine's; the instructions, libraries and Python are
the Pi's. An instruction that the processor lacks ends the program with SIGILL.
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
# {python} as {processor}; Python looks for its virtual environment where -0 says.
exec {qemu} -cpu {processor} -L "{prefix}" -0 "$0" "{python}" "$@"
"""


def run_python(
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
        processor: Which Pi's processor.
        words: Arguments of Python.
        packages: Whether the wheels are installed there.
        prefix: Another root than the processor's own; see `emulation.root.make_overlay`.
        environment: Variables beside those of `build_environment`.
        options: Of `subprocess.run`, which keeps both outputs by default.
    """
    seen = prefix or root.prefix(processor)
    command = [_QEMU, "-cpu", processor.name, "-L", str(seen), str(root.python), *map(str, words)]
    variables = build_environment(root, packages=packages) | dict(environment or {})
    outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run(command, check=False, text=True, env=variables, **{**outputs, **options})


def build_environment(root: Root, *, packages: bool = True) -> dict[str, str]:
    """Return the variables of an emulated process: none of this machine's Python.

    Args:
        root: The arm64 Debian, in which nothing is written.
        packages: Whether its wheels can be imported.
    """
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.environ.get("HOME", "/"),
        "LC_ALL": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",  # emulated threads of numpy wait for each other for seconds
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {**variables, "PYTHONPATH": str(root.site)} if packages else variables


def make_python(root: Root, processor: Processor, folder: Path) -> Path:
    """Make a program that is called like Python on the Pi, by scripts and virtual environments.

    Args:
        root: The arm64 Debian.
        processor: Which Pi's processor.
        folder: Folder for it, and for links that make it look like an installed Python.

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
