"""Fetch axe-core, which looks for barriers in a page: `python benchmarks/get_axe.py FOLDER`.

From npm's registry by `npm pack`; its SHA-512 is checked. Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "axe-core@4.14.1"
CHECKSUM = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
FILE = "axe.min.js"


def main() -> None:
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as place:
        packed = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", place, PACKAGE],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        archives = list(Path(place).iterdir())
        if packed.returncode or len(archives) != 1:
            sys.exit(f"ERROR: npm pack {PACKAGE} failed: {packed.stderr.strip()[-300:]}")
        found = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
        if found != CHECKSUM:
            sys.exit(f"ERROR: {PACKAGE}: its SHA-512 is {found}, not {CHECKSUM}")
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archives[0]) as archive:
            (folder / FILE).write_bytes(archive.extractfile(f"package/{FILE}").read())


if __name__ == "__main__":
    main()
