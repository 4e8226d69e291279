"""Work on a Ray cluster: results and errors are those of this machine."""

from __future__ import annotations

import pytest
from bulk_works import Echo

from edgeemo.bulk.run import Place, work_through
from edgeemo.errors import ClusterError, EngineError
from edgeemo.utils.progress import Silent

pytestmark = pytest.mark.ray


def work(items, cluster, parts=None, work=None, **place):
    """Return the blocks of work on the cluster."""
    return list(
        work_through(
            work or Echo(),
            items,
            place=Place(cluster=cluster.address, **place),
            parts=parts,
            stage="Working",
            progress=Silent(),
        )
    )


def test_an_image_that_ends_its_process_is_a_result(cluster, tmp_path):
    (tmp_path / "e").touch()
    items = [
        f"file:{tmp_path / 'e'}",
        "b",
        "kill-SIGSEGV",
        "c",
        "exit",
        f"once:{tmp_path / 'made'}",
        "d",
        "\udcff.png",
    ]
    blocks = work(items, cluster)
    assert [len(block.results) for block in blocks] == [4, 4]
    results = dict(result for block in blocks for result in block.results)
    assert list(results) == items
    assert {item: result for item, result in results.items() if result != "ok"} == {
        "kill-SIGSEGV": "its worker process was ended by SIGSEGV",
        "exit": "its worker process has ended",
    }


def test_a_node_that_does_not_see_the_images_ends_the_run(cluster, tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"1")
    monkeypatch.chdir(tmp_path)  # and no process of Ray's
    with pytest.raises(ClusterError, match=r"node \S+: /proc/self/cwd/a.png is not seen .*bucket"):
        work(["file:/proc/self/cwd/a.png"], cluster)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": 3}, "--workers 3 requires 3 CPUs, and the cluster has 2"),
        ({"workers": 1, "threads": 4}, "--workers 1 --threads 4 requires 4 CPUs"),
    ],
)
def test_too_few_cpus_are_refused_at_once(cluster, given, message):
    with pytest.raises(ClusterError, match=message):
        work(["a"], cluster, **given)


def test_work_that_no_node_can_load_ends_the_run(cluster):
    with pytest.raises(EngineError, match=r"node \S+: model\.tflite: cannot be loaded"):
        work(["a"], cluster, work=Echo(name="closed"))
