"""Interpreters in turns: never two threads in one, and no more of them than cores."""

from __future__ import annotations

import threading
import time

import pytest

from edgeemo.engines import pool
from edgeemo.engines.pool import InterpreterPool
from edgeemo.errors import EngineError


class _Interpreter:
    def __init__(self) -> None:
        self.users = self.most = self.uses = 0

    def run(self) -> None:
        self.users += 1
        self.most = max(self.most, self.users)
        self.uses += 1
        time.sleep(0.001)
        self.users -= 1


def _use(shared: InterpreterPool, times: int) -> None:
    for _ in range(times):
        interpreter = shared.take()
        interpreter.run()
        shared.give_back(interpreter)


@pytest.mark.parametrize(
    ("cores", "threads", "limit"), [(4, 1, 4), (4, 2, 2), (1, 1, 1), (2, 8, 1)]
)
def test_threads_share_up_to_one_per_core(monkeypatch, cores, threads, limit):
    monkeypatch.setattr(pool, "usable_cores", lambda: cores)
    built = [_Interpreter()]

    def build():
        built.append(_Interpreter())
        return built[-1]

    shared = InterpreterPool(built[0], build, threads=threads)
    users = [threading.Thread(target=_use, args=(shared, 20)) for _ in range(8)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert len(built) == limit
    assert {each.most for each in built} == {1}
    assert sum(each.uses for each in built) == 160


def test_one_thread_needs_one():
    shared = InterpreterPool("first", lambda: pytest.fail("built another"), threads=1)
    _, held = shared.take(), shared.give_back("first")
    assert (held, shared.take()) == (None, "first")


def test_where_no_other_can_be_built_threads_take_turns(monkeypatch):
    monkeypatch.setattr(pool, "usable_cores", lambda: 4)
    tries = []

    def build():
        tries.append(1)
        raise EngineError("m.tflite: has changed since it was loaded")

    first = _Interpreter()
    shared = InterpreterPool(first, build, threads=1)
    users = [threading.Thread(target=_use, args=(shared, 20)) for _ in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert (first.most, first.uses, len(tries)) == (1, 80, 1)
