"""A bundle's beginning: ``python3 NAME.pyz`` runs this, so even an old Python must understand it.

Before anything else of the bundle is loaded, the whole file is held against the CRC-32 in its last
bytes (see `edgeemo.bundle.archive`): against accidents. SHA-256 takes eight times as long where the
processor has no instructions for it, as in every Raspberry Pi before the 5, and is left to the
self-test.
"""
# ruff: noqa: PTH120, PTH123, UP024, UP031, UP036
# There is no pathlib and no f-string in the Pythons that this has to turn away.

import os
import sys
from zlib import crc32

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
if b"%08x" % total != seal:
    sys.exit("error: %s: damaged (its checksum is wrong); copy the bundle again" % archive)

from edgeemo.bundle.device.main import main  # noqa: E402 - only what has been checked is loaded

sys.exit(main(archive))
