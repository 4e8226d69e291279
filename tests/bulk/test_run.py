"""Work on this machine: mishaps, finished blocks, and the folder that keeps them."""

from __future__ import annotations

import json

import pytest
from bulk_works import Echo

from edgeemo.bulk import isolated, on_node
from edgeemo.bulk.parts import open_parts
from edgeemo.bulk.run import Place, work_through
from edgeemo.errors import ClusterError, DatasetError, EngineError, OutputError
from edgeemo.utils.progress import Silent

NUMBERS = [str(number) for number in range(10)]


def work(items, parts=None, work=None, workers=1):
    """Return the blocks of work on this machine."""
    place = Place(workers=workers, isolates=True)
    return list(
        work_through(
            work or Echo(), items, place=place, parts=parts, stage="Working", progress=Silent()
        )
    )


def keep(folder, items, work_=None, **how):
    """Return the blocks of work that is kept."""
    with open_parts(str(folder), work_ or Echo(), **how) as parts:
        return work(items, parts, work_)


def list_results(blocks):
    return [result for block in blocks for result in block.results]


def test_an_image_that_ends_its_process_is_a_result(tmp_path, monkeypatch):
    monkeypatch.setattr(isolated, "LIMIT_S", 1.0)
    once = f"once:{tmp_path / 'made'}"
    items = ["a", "b", "kill-SIGSEGV", "c", "exit", once, "d", "hang", "memory", "e"]
    results = list_results(work(items, work=Echo(block_size=6)))
    assert [item for item, _ in results] == items
    assert {item: result for item, result in results if result != "ok"} == {
        "kill-SIGSEGV": "its worker process was ended by SIGSEGV",
        "exit": "its worker process has ended",
        "hang": "it took longer than 1 s",
        "memory": "there is not enough memory",
    }


@pytest.mark.parametrize("workers", [1, 3])
def test_finished_blocks_are_not_done_again(tmp_path, workers):
    kept, log = tmp_path / "kept", tmp_path / "log"
    whole = keep(kept, NUMBERS)
    assert [len(block.results) for block in whole] == [4, 4, 2]
    next(kept.glob("part-00000001-*")).unlink()
    with open_parts(str(kept), Echo(), resume=True) as parts:
        again = work(NUMBERS, parts, Echo(str(log)), workers)
    assert list_results(again) == list_results(whole)
    assert [block.is_old for block in again] == [True, False, True]
    assert log.read_text().split() == ["4", "5", "6", "7"]


def test_a_complete_run_that_gets_more_images_is_not_complete(tmp_path):
    with open_parts(str(tmp_path), Echo()) as parts:
        work(NUMBERS[:8], parts)
        parts.complete({"images": 8})
    with open_parts(str(tmp_path), Echo(), resume=True) as parts:
        work(NUMBERS[:8], parts)
        assert (tmp_path / "_summary.json").exists()
        work(NUMBERS, parts)
        assert not (tmp_path / "_summary.json").exists()


def test_names_that_are_no_text_are_kept(tmp_path):
    items = ["\udcff.png", "é.png", "line\nend"]
    assert list_results(keep(tmp_path, items)) == list_results(keep(tmp_path, items, resume=True))


def test_a_run_is_continued_by_its_own_work_and_images_alone(tmp_path):
    keep(tmp_path, NUMBERS)
    with pytest.raises(OutputError, match="--resume continues it, --again begins again"):
        keep(tmp_path, NUMBERS)
    for items in (["x", *NUMBERS], NUMBERS[:9], NUMBERS[:8], NUMBERS[:4], []):
        with pytest.raises(DatasetError, match="--again begins again"):
            keep(tmp_path, items, resume=True)
    with pytest.raises(OutputError, match=r'differs in work \("echo" there, "other" now\)'):
        keep(tmp_path, NUMBERS, Echo(name="other"), resume=True)
    assert list_results(keep(tmp_path, NUMBERS, resume=True))[0] == ("0", "ok")
    assert len(keep(tmp_path, ["y"], Echo(name="other"), again=True)) == 1
    assert len([*tmp_path.glob("part-*")]) == 1


def test_a_folder_that_cannot_be_used_is_refused(tmp_path):
    keep(tmp_path / "kept", NUMBERS)
    part = next((tmp_path / "kept").glob("part-00000001-*"))
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(OutputError, match=f"{part.name}: cannot be read .*--resume makes it again"):
        keep(tmp_path / "kept", NUMBERS, resume=True)
    part.unlink()
    keep(tmp_path / "kept", NUMBERS, resume=True)
    (tmp_path / "kept" / "_job.json").write_text("[")
    with pytest.raises(OutputError, match=r"_job\.json: is missing or damaged; --again"):
        keep(tmp_path / "kept", NUMBERS, resume=True)
    (tmp_path / "kept" / "_job.json").unlink()  # as while --again removes the parts
    (tmp_path / "kept" / ".part-1.partial-1").touch()
    with pytest.raises(OutputError, match="--again begins again"):
        keep(tmp_path / "kept", NUMBERS)
    assert len(keep(tmp_path / "kept", NUMBERS, again=True)) == 3
    with pytest.raises(OutputError, match="has other files in it"):
        keep(tmp_path, NUMBERS, again=True) if (tmp_path / "x").touch() is None else None
    with pytest.raises(OutputError, match=r"File exists|Not a directory"):
        keep(tmp_path / "x", NUMBERS)


def test_two_commands_do_not_keep_in_one_folder(tmp_path):
    with open_parts(str(tmp_path), Echo()), pytest.raises(BlockingIOError, match="wait for it"):
        keep(tmp_path, NUMBERS, resume=True)


def test_an_unfinished_start_is_begun_anew(tmp_path):
    with open_parts(str(tmp_path), Echo(name="other")):
        pass
    keep(tmp_path, NUMBERS)
    assert json.loads((tmp_path / "_job.json").read_text())["work"] == "echo"


def test_work_that_cannot_be_loaded_ends_the_run():
    with pytest.raises(EngineError, match=r"model\.tflite: cannot be loaded"):
        work(["a"], work=Echo(name="closed"))


def test_a_node_with_another_version_is_refused(monkeypatch):
    probe = on_node.Probe.take(Echo(), ["a"])
    probe.check()
    probe.versions["edgeemo"] = "0.0.1"
    monkeypatch.setattr(on_node, "collect_versions", lambda: {"edgeemo": "0.1.0", "cv2": "5"})
    with pytest.raises(ClusterError, match=r"edgeemo 0\.1\.0 there, 0\.0\.1 where the command"):
        probe.check()
