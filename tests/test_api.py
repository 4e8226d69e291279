"""The library as others use it: paths of every kind, and names that are there at once."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path, PurePath
from pkgutil import iter_modules

import pytest

import edgeemo
from edgeemo.bundle import BundleOptions
from edgeemo.dataset import Collection
from edgeemo.evaluate import SliceBy
from edgeemo.model.folder import ModelFolder

PACKAGES = [each.name for each in iter_modules(edgeemo.__path__, "edgeemo.") if each.ispkg]
PACKAGES += ["edgeemo.dataset.check", "edgeemo.dataset.write"]
FUNCTIONS = ("adopt", "bundle", "diagnose", "evaluate", "export", "train", "verify")


class _Named:
    """Stands for a path, and is neither a text nor a Path."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __fspath__(self) -> str:
        return self._name


def _public_functions():
    for package in ("edgeemo", *PACKAGES):
        module = import_module(package)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isfunction(value):
                yield value
            elif inspect.isclass(value):
                found = inspect.getmembers(value, inspect.isroutine)
                yield from (each for each_name, each in found if each_name[0] != "_")


def test_no_public_function_insists_on_a_path():
    """Fields of options may be annotated so: they turn a text into a path."""
    functions = {
        each
        for each in _public_functions()
        if str(getattr(each, "__module__", "")).startswith("edg")
    }
    assert len(functions) > 60
    for function in functions:
        for parameter in inspect.signature(function).parameters.values():
            kinds = str(parameter.annotation).replace("'", "").split(" | ")
            allowed = {"StrPath", "str", "os.PathLike[str]", "Iterable[StrPath]"}
            assert "Path" not in kinds or allowed & set(kinds), f"{function}: {parameter}"
            assert "ModelFolder" not in kinds, f"{function}: {parameter}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_a_package_too(name):
    called, package = getattr(edgeemo, name), import_module(f"edgeemo.{name}")
    assert called is package
    function = package.make_bundle if name == "bundle" else getattr(package, name)
    assert inspect.signature(called) == inspect.signature(function)


def test_the_functions_load_nothing_heavy():
    code = (
        "import edgeemo, sys\n"
        f"[callable(getattr(edgeemo, name)) or 1 / 0 for name in {FUNCTIONS}]\n"
        "print({'tensorflow', 'keras', 'onnx', 'matplotlib', 'typer'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "set()\n"


@pytest.mark.parametrize("kind", [str, Path, _Named])
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda path: edgeemo.train(path, path), "gone"),
        (lambda path: edgeemo.train.resume(path, data=path), "no interrupted training"),
        (edgeemo.export, "gone: no such model folder"),
        (edgeemo.diagnose, "gone: no such model folder"),
        (lambda path: edgeemo.adopt(path, "new"), "gone: no such file"),
        (lambda path: edgeemo.verify(path, data=path), "gone: no such model folder"),
        (lambda path: edgeemo.evaluate("happy-sad", path), "gone"),
        (lambda path: edgeemo.evaluate(path, path), "gone"),
        (lambda path: edgeemo.bundle(path, "new.pyz"), "gone"),
        (edgeemo.Classifier.load, "gone"),
        (lambda path: edgeemo.Classifier.load("happy-sad").predict(path), "gone: cannot be read"),
        (lambda path: import_module("edgeemo.bench").read_report(path), "gone: cannot be read"),
        (lambda path: import_module("edgeemo.dataset").check_source(path), "gone: no such folder"),
        (lambda path: import_module("edgeemo.dataset").ingest_folder(path), "gone"),
    ],
)
def test_a_path_may_be_a_text_or_stand_for_one(call, words, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(edgeemo.EdgeEmoError, match=words):
        call(kind("gone"))


@pytest.mark.parametrize("kind", [str, _Named])
def test_options_turn_a_text_into_a_path(kind):
    from edgeemo.train import TrainOptions

    one, other = kind("a"), kind("b")
    assert BundleOptions(fallback=one, data=other) == BundleOptions(
        fallback=Path("a"), data=Path("b")
    )
    assert Collection(path=one) == Collection(path=Path("a"))
    assert SliceBy(table=one, column="x").table == Path("a")
    options = TrainOptions(tensorboard=one, teacher=(one, other), soft_labels=other)
    assert (options.tensorboard, options.teacher) == (Path("a"), (Path("a"), Path("b")))


def test_a_model_folder_is_a_path():
    assert os.fspath(ModelFolder(Path("models") / "mine")) == str(PurePath("models", "mine"))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'edgeemo' has no attribute 'trian'"):
        edgeemo.trian  # noqa: B018
