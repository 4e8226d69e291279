"""Collect and compile the modules of edgeemo that a bundle needs.

Standard library only.
"""

from __future__ import annotations

import ast
import marshal
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path
from typing import TYPE_CHECKING

import edgeemo

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_PACKAGE = "edgeemo"
_UNCHECKED_HASH = 1  # flags of a .pyc that is not compared with its source (PEP 552)
_WITHOUT_REFERENCES = 2  # later versions of marshal write how often an object happens to be used


def collect_modules(root: str, *, without: Collection[str] = ()) -> dict[str, bytes]:
    """Collect a module of edgeemo and all modules of edgeemo that it imports, directly or not.

    Imports inside functions count, so that nothing is missing on a rare path; imports for type
    checkers do not.

    Args:
        root: The module to start from, such as "edgeemo.bundle.device.main".
        without: Packages and modules to leave out, such as "edgeemo.report".

    Returns:
        Path inside the package's parent folder, with forward slashes, to source; sorted by path.
    """
    found: dict[str, bytes] = {}
    left_out = tuple(f"{name.replace('.', '/')}{end}" for name in without for end in ("/", ".py"))
    waiting = [root]
    while waiting:
        path = _find_path(waiting.pop())
        if path is None or path in found or path.startswith(left_out):
            continue
        found[path] = _home().joinpath(path).read_bytes()
        waiting.extend(_list_imports(found[path]))
    return dict(sorted(found.items()))


def compile_module(path: str, source: bytes) -> bytes:
    """Compile a module for the Python that runs this, the same bytes for the same source.

    Compiling is a sixth of a bundle's start. Another version of Python ignores the ``.pyc`` and
    compiles the source beside it. The code has no docstrings and no annotations of functions, which
    are a seventh of its size.

    Args:
        path: Name of the module in tracebacks.
        source: Its source.

    Returns:
        The content of its ``.pyc``.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        _strip(node)
    ast.fix_missing_locations(tree)
    code = compile(tree, path, "exec", dont_inherit=True, optimize=0)
    flags = _UNCHECKED_HASH.to_bytes(4, "little")
    return MAGIC_NUMBER + flags + source_hash(source) + marshal.dumps(code, _WITHOUT_REFERENCES)


def pack_modules(modules: Mapping[str, bytes], files: Mapping[str, bytes] | None = None) -> bytes:
    """Pack modules into one member, which `edgeemo.bundle.device.packed` imports them from.

    Args:
        modules: Path to source, as `collect_modules` returns them.
        files: Path to content of files that are no modules.
    """
    packed = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): (
            path, source, compile_module(path, source),
        )
        for path, source in modules.items()
    }  # fmt: skip
    packed |= {path: (path, content, b"") for path, content in (files or {}).items()}
    return marshal.dumps(packed, _WITHOUT_REFERENCES)


def _strip(node: ast.AST) -> None:
    """Remove the docstring, and a function's annotations; a class keeps its docstring's first line.

    A dataclass without a docstring would compute its signature at every start.
    """
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        node.returns = None
        for each in ast.walk(node.args):
            if isinstance(each, ast.arg):
                each.annotation = None
    elif not isinstance(node, ast.ClassDef | ast.Module):
        return
    text = ast.get_docstring(node)
    if text is None:
        return
    if isinstance(node, ast.ClassDef):
        node.body[0] = ast.Expr(ast.Constant(text.partition("\n")[0]))
    else:
        node.body = node.body[1:] or [ast.Pass()]


def _home() -> Path:
    return Path(edgeemo.__file__).parent.parent


def _find_path(module: str) -> str | None:
    """Return the path of a module's source, or None if the name is not a module's."""
    base = module.replace(".", "/")
    for path in (f"{base}/__init__.py", f"{base}.py"):
        if _home().joinpath(path).is_file():
            return path
    return None


def _list_imports(source: bytes) -> Iterator[str]:
    """Yield every name of edgeemo that a source may import, and the packages above it."""
    for name in _list_names(ast.parse(source)):
        parts = name.split(".")
        if parts[0] == _PACKAGE:  # importing a.b.c imports a and a.b first
            yield from (".".join(parts[: end + 1]) for end in range(len(parts)))


def _list_names(node: ast.AST) -> Iterator[str]:
    """Yield every dotted name that an import statement below a node may stand for."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif not _is_for_type_checkers(node):
        for child in ast.iter_child_nodes(node):
            yield from _list_names(child)


def _is_for_type_checkers(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )
