"""Damaged and crafted bundles, by the hundred in `benchmarks/reliability`."""

from __future__ import annotations

import json
import zipfile

import pytest

from benchmarks.reliability.bundles import attack
from edgeemo.bundle.device.contents import Contents
from edgeemo.errors import BundleError

pytestmark = pytest.mark.slow


def test_none_predicts_and_none_ends_in_a_traceback(int8, capfd):
    checks = attack(int8.path.read_bytes(), damaged=36, crafted=20)
    assert [check.measured for check in checks] == ["0 / 0", "0 / 0"], capfd.readouterr().err


def test_a_part_that_is_inserted_before_the_entry_point_is_noticed(copied, device):
    """Python finds the entry from the end of the file, and what is before it is elsewhere."""
    content = copied.read_bytes()
    copied.write_bytes(content[:9000] + b"x" + content[9000:])
    ran = device(copied, "info")
    assert (ran.status, ran.out) == (1, "")
    assert "copy the bundle again" in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("part", [b"import os\nimport sys", b"crc32(chunk", b"archive = os"])
def test_a_damaged_check_is_one_line(copied, device, part):
    content = copied.read_bytes()
    place = content.rindex(part)
    copied.write_bytes(content[:place] + b"\xe3" + content[place + 1 :])
    ran = device(copied, "info")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "error: damaged, or out of memory; copy the bundle again\n"


def test_a_manifest_with_another_digest_of_its_model_is_refused(copied, tmp_path):
    """Or the model inside would not be the one that was described."""
    other = tmp_path / "other.pyz"
    with zipfile.ZipFile(copied) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("manifest.json", json.dumps({**manifest, "model_sha256": "0" * 64}))
    with pytest.raises(BundleError, match="model_sha256: is not that of the member"):
        Contents(str(other))
