"""The emulated machine's first process: it runs the steps, reports, and switches the machine off.

Linux starts it with the arm64 Python and nothing else: no shell, no service, no other process. The
clock counts instructions, one a nanosecond, the kernel's included.
"""

import ctypes
import json
import os
import subprocess
import sys
import time

STEPS = "/job/steps.json"
MARK = "edgeemo-report:"
_POWER_OFF = 0x4321FEDC  # LINUX_REBOOT_CMD_POWER_OFF, reboot(2)
_FILE_SYSTEMS = (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp"))
_ENVIRONMENT = {
    "PATH": "/usr/bin",
    "HOME": "/tmp",
    "LC_ALL": "C.UTF-8",
    "PYTHONPATH": "/site:/job",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",  # or dictionaries, and with them the count, differ from run to run
}


def _main() -> None:
    kernel = ctypes.CDLL(None)
    for kind, place in _FILE_SYSTEMS:
        kernel.mount(kind.encode(), place.encode(), kind.encode(), 0, None)
    try:
        with open(STEPS, encoding="utf-8") as stream:
            report = [_run(words) for words in json.load(stream)]
        print(MARK + json.dumps(report), flush=True)
    finally:
        sys.stdout.flush()
        kernel.reboot(_POWER_OFF)


def _run(words: list[str]) -> dict[str, object]:
    """Run one command; `perf_counter_ns` is the number of instructions."""
    with open("/tmp/out", "w+b") as out, open("/tmp/err", "w+b") as err:
        start = time.perf_counter_ns()
        process = subprocess.Popen(words, stdout=out, stderr=err, env=_ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
        instructions = time.perf_counter_ns() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return {
            "status": process.returncode,
            "instructions": instructions,
            "peak_mb": usage.ru_maxrss / 1024,
            "stdout": out.read().decode(errors="replace"),
            "stderr": err.read().decode(errors="replace"),
        }


if __name__ == "__main__":
    _main()
