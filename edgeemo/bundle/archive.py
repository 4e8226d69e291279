"""Pack a bundle's file: a ZIP archive that Python runs, the same bytes for the same members.

Four things are special about it:

* Members are stored, not compressed: models and images hardly shrink, and the bytes then do not
  depend on the version of zlib.
* The archive's comment, the last eight bytes of the file, is the CRC-32 of everything before it.
  The bundle checks it before it does anything (`edgeemo/bundle/device/start.py`). It guards
  against accidents; to rule out more, compare the SHA-256 of the file with the one that
  ``edgeemo bundle`` printed.
* A file that was cut short is no ZIP archive any more (its directory comes last), and Python then
  reads it as source. The second line is the one that Python shows when it gives up: a sentence.
  So do Pythons before 3.8, which know no archive with a comment.
* The modules of ``live`` alone are one member, and those of ``serve`` and its page another
  (`edgeemo.bundle.device.packed`): Python reads the directory of the archive at every start.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD = b"""#!/usr/bin/env python3
"This bundle was cut short: copy it again. Or this Python is too old: it takes 3.11 or newer.
"""
_TIME = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = 0o100644
_SEAL_BYTES = 8


def pack(members: Mapping[str, bytes]) -> bytes:
    """Pack members into the bytes of a bundle.

    Args:
        members: Path inside to content, in the order of the file; Python runs ``__main__.py``. A
            ``.tflite`` should come first: it ends in an archive of its own, which Python takes for
            the bundle's if the file was cut in the 64 kB that follow, and then only says that it
            finds no ``__main__``. That one should come last: it is then found in a file that lost
            or gained bytes before it, and can say so.
    """
    buffer = io.BytesIO()
    buffer.write(_HEAD)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system = _UNIX
            info.external_attr = _MODE << 16
            archive.writestr(info, content)
        archive.comment = b"0" * _SEAL_BYTES
    whole = buffer.getvalue()[:-_SEAL_BYTES]
    return whole + b"%08x" % zlib.crc32(whole)
