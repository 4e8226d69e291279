"""What Ray raises, in one line."""

from __future__ import annotations

from edgeemo.utils.ray_errors import describe_ray_error

_FULL = "the disk of Ray's files is full on a node, and its object store may be, too; free some"


class TaskError(Exception):
    """As Ray's, which has the trace of another process as its text."""

    def __init__(self, text: str, cause: Exception | None) -> None:
        super().__init__(text)
        self.cause = cause


def test_a_full_store_is_told_as_one_wherever_it_is_raised():
    inner = TaskError(
        "\x1b[36mray::Keeper.put_rows()\x1b[39m (pid=1)\nray.exceptions.OutOfDiskError: ('", None
    )
    for error in (
        TaskError("trace\n" * 99, inner),
        OSError("Local disk is full\nThe object cannot be created: the object store is full"),
        OSError(28, "No space left on device"),
    ):
        assert describe_ray_error(error).startswith(_FULL)


def test_any_other_error_is_one_line_without_colours():
    error = TaskError("", ValueError("\x1b[36modd\x1b[39m\nthings"))
    assert describe_ray_error(error) == "odd things"
    assert describe_ray_error(KeyError()) == "KeyError"
    assert len(describe_ray_error(ValueError("x" * 999))) == 300
