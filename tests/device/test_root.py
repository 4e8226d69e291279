"""What is said where no arm64 root can be made; nothing is emulated here."""

from __future__ import annotations

import pytest

from emulation.root import TOOLS, EmulationError, make_root


def test_without_an_emulator_the_packages_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmulationError, match=r"apt install mmdebstrap qemu-user-static$"):
        make_root("bookworm", tmp_path / "cache")
    assert list(tmp_path.iterdir()) == []


def test_without_a_way_to_debian_one_line_says_so_and_nothing_is_left(tmp_path, monkeypatch):
    for name in TOOLS:
        (tmp_path / name).write_text(
            "#!/bin/sh\necho 'I: trying'; echo 'E: no such host' >&2; exit 1\n"
        )
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(EmulationError) as raised:
        make_root("trixie", tmp_path / "cache")
    assert str(raised.value) == (
        "mmdebstrap cannot make an arm64 Debian trixie: no such host; check that "
        "Debian's mirror can be reached"
    )
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]
