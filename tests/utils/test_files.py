from __future__ import annotations

import errno
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeemo.utils.files import (
    hide_name,
    is_being_made,
    new_folder,
    replacing,
    scratch_folder,
    sha256_file,
    write_file,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write_file(tmp_path / "a.txt", "old")
    with pytest.raises(RuntimeError), replacing(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_write_that_fails_names_the_file_and_not_the_hidden_one(tmp_path, monkeypatch):
    def refuse(path, **_):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    with (
        pytest.raises(OSError, match="No space left") as full,
        replacing(tmp_path / "a") as partial,
    ):
        partial.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    with (
        pytest.raises(OSError, match="No space left") as full_folder,
        new_folder(tmp_path / "m"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="No such") as gone, new_folder(tmp_path / "m") as partial:
        partial.rmdir()
        (partial / "x").write_text("new")
    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(OSError, match="Read-only") as read_only:
        write_file(tmp_path / "a", "new")
    names = [each.value.filename for each in (full, full_folder, gone, read_only)]
    assert names == [str(tmp_path / name) for name in ("a", "m", "m", "a")]
    assert not list(tmp_path.iterdir())


def test_a_failed_folder_leaves_the_old_one_and_nothing_else(tmp_path):
    with new_folder(tmp_path / "m") as partial:
        (partial / "x").write_text("old")
    with pytest.raises(RuntimeError), new_folder(tmp_path / "m", replace=True) as partial:
        (partial / "x").write_text("half")
        raise RuntimeError
    assert (tmp_path / "m" / "x").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


def test_an_existing_folder_is_replaced_only_when_asked(tmp_path):
    (tmp_path / "m").mkdir()
    with pytest.raises(FileExistsError), new_folder(tmp_path / "m"):
        pass
    with new_folder(tmp_path / "m", replace=True) as partial:
        (partial / "x").write_text("new")
    assert (tmp_path / "m" / "x").read_text() == "new"


def test_what_a_killed_process_left_is_hidden_and_removed_by_the_next(tmp_path):
    code = (
        "import os, sys, signal; from pathlib import Path\n"
        "from edgeemo.utils.files import new_folder\n"
        "with new_folder(Path(sys.argv[1])) as p:\n"
        "    (p / 'x').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "m"], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".m.partial-")
    with new_folder(tmp_path / "m"):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


def test_a_folder_lost_between_two_renames_is_brought_back(tmp_path):
    (tmp_path / ".m.partial-999999999-old").mkdir()
    with pytest.raises(RuntimeError), new_folder(tmp_path / "m", replace=True):
        raise RuntimeError
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


@contextmanager
def _other_process(code, *words):
    """A process that runs some code and then waits until the block ends."""
    code = f"import sys; from pathlib import Path\n{code}; print(flush=True); input()"
    command = [sys.executable, "-c", code, *map(str, words)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_another_running_writer_is_left_alone(tmp_path):
    code = (
        "from edgeemo.utils.files import replacing; r = replacing(Path(sys.argv[1]));"
        "r.__enter__().write_text('at work')"
    )
    with _other_process(code, tmp_path / "a.txt") as process:
        write_file(tmp_path / "a.txt", b"\x00")
        (busy,) = tmp_path.glob(".a.txt.partial-*")
        assert busy.read_text() == "at work"
        process.kill()
        process.wait()
        write_file(tmp_path / "a.txt", b"\x01")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_two_processes_do_not_make_one_folder(tmp_path):
    code = (
        "from edgeemo.utils.files import new_folder; r = new_folder(Path(sys.argv[1]));"
        "r.__enter__()"
    )
    with _other_process(code, tmp_path / "m"):
        assert is_being_made(tmp_path / "m")
        with pytest.raises(BlockingIOError, match="another process is writing it"):
            new_folder(tmp_path / "m").__enter__()
    with new_folder(tmp_path / "m"):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


def test_of_many_processes_that_begin_together_one_makes_the_folder(tmp_path):
    code = (
        "import sys; from pathlib import Path; from edgeemo.utils.files import new_folder\n"
        "r = new_folder(Path(sys.argv[1])); input(); r.__enter__(); print('made', flush=True)\n"
        "input()"
    )
    command = [sys.executable, "-c", code, tmp_path / "m"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for process in started:
        process.stdin.write(b"\n")
        process.stdin.flush()
    printed = [process.stdout.readline() for process in started]
    for process in started:
        process.communicate(b"\n")
    assert sorted(printed) == [b"", b"", b"", b"made\n"]


def test_a_folder_that_appears_meanwhile_is_not_replaced(tmp_path):
    with pytest.raises(FileExistsError), new_folder(tmp_path / "m") as partial:
        (partial / "x").write_text("mine")
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "x").write_text("theirs")
    assert (tmp_path / "m" / "x").read_text() == "theirs"
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


def test_a_folder_that_another_process_writes_to_is_not_replaced(tmp_path):
    (tmp_path / "m").mkdir()
    code = "from edgeemo.utils.locks import hold; h = hold(Path(sys.argv[1])); h.__enter__()"
    with (
        _other_process(code, tmp_path / "m"),
        pytest.raises(BlockingIOError),
        new_folder(tmp_path / "m", replace=True),
    ):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize("name", ["ä" * 127, "a" * 255, "b" * 240])
def test_a_name_that_fits_can_be_written(tmp_path, name):
    write_file(tmp_path / name, "text")
    write_file(tmp_path / name, "again")
    with new_folder(tmp_path / f"{name[:-1]}c"):
        pass
    assert len(list(tmp_path.iterdir())) == 2
    first, second = hide_name(tmp_path / name, ".x"), hide_name(tmp_path / f"{name[:-1]}c", ".x")
    assert first != second


def test_a_scratch_folder_goes_with_the_block_or_with_the_next(tmp_path):
    code = (
        "from edgeemo.utils.files import scratch_folder; r = scratch_folder(Path(sys.argv[1]));"
        "r.__enter__()"
    )
    with _other_process(code, tmp_path / "study"), scratch_folder(tmp_path / "study") as mine:
        assert len(list(tmp_path.iterdir())) == 2
    assert not mine.exists()
    with scratch_folder(tmp_path / "study"):
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())


def test_sha256_of_a_known_file(tmp_path):
    path = write_file(tmp_path / "abc", "abc")
    assert sha256_file(path).startswith("ba7816bf8f01cfea")


def test_a_folder_that_fails_leaves_no_parents_behind(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError), new_folder(tmp_path / "there" / "a" / "b" / "new"):
        raise ValueError
    assert list(tmp_path.iterdir()) == [tmp_path / "there"]
    assert list((tmp_path / "there").iterdir()) == []
