"""The start of a bundle, which ``python3 NAME.pyz`` imports: even an old Python must parse it.

`__main__.py`, the entry of the archive, turns whatever a flipped bit makes of this module into one
line. That file is as short as can be, since nothing checks it: what is damaged there, Python itself
reports. Before anything else of the bundle is loaded, the whole file is checked against the CRC-32
in its last bytes (see `edgeemo.bundle.archive`): against accidents. SHA-256 takes eight times as
long on a processor without instructions for it, as in every Raspberry Pi before the 5, and is left
to the self-test.
"""
# ruff: noqa: PTH120, PTH123, UP024, UP031, UP036
# There is no pathlib and no f-string in the Pythons that this has to refuse.

import os
import sys

try:
    import _signal as signal  # type: ignore[import-not-found] # signal imports enum first: 5 ms
except ImportError:
    import signal

for number in (signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(number) != signal.SIG_IGN:  # as SIGINT is in a background job
        signal.signal(number, lambda number, _: os._exit(128 + number))

try:
    from zlib import crc32
except (ImportError, MemoryError) as error:
    sys.exit("error: this Python cannot load zlib: %s" % (str(error) or "out of memory"))

_SEAL_BYTES = 8
_CHUNK = 1 << 18

archive = os.path.dirname(__file__)
if sys.version_info < (3, 11):
    sys.exit(
        "error: this bundle needs Python 3.11 or newer (Raspberry Pi OS 12, Debian 12); "
        "this is Python %d.%d" % sys.version_info[:2]
    )
try:
    total = 0
    with open(archive, "rb") as stream:
        left = os.fstat(stream.fileno()).st_size - _SEAL_BYTES
        while left > 0:
            chunk = stream.read(min(left, _CHUNK))
            total = crc32(chunk, total)
            left -= len(chunk) or left
        seal = stream.read()
except (IOError, OSError) as error:
    sys.exit("error: %s: not the whole bundle: run the .pyz file itself (%s)" % (archive, error))
except MemoryError:
    sys.exit("error: out of memory")
if b"%08x" % total != seal:
    sys.exit("error: %s: damaged (its checksum is wrong); copy the bundle again" % archive)

try:
    from edgeemo.utils.interrupt import exit_on_interrupt  # only what has been checked is loaded

    exit_on_interrupt()
    from edgeemo.bundle.device.main import main
except (MemoryError, OSError) as error:
    sys.exit("error: Python cannot load the bundle: %s" % (str(error) or "out of memory"))

try:
    status = main(archive)
except Exception:  # a fault of edgeemo, not of the copy
    sys.excepthook(*sys.exc_info())
    status = 1
sys.exit(status)
