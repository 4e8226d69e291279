"""Sphinx's settings for the site that `make docs` builds of the Markdown pages.

The source folder is the repository, so that links between README.md, docs/ and the model cards lead
to the same pages here as in the repository.
"""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import edgeemo
from edgeemo.utils.options import option_fields

if TYPE_CHECKING:
    from types import ModuleType

    from sphinx.application import Sphinx

project = "edgeemo"
author = "The edgeemo authors"
release = edgeemo.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/README"
include_patterns = ["*.md", "docs/**.md", "models/*/*.md"]
exclude_patterns = [".*", "build", "dist", "edgeemo", "tests"]
templates_path = ["_templates"]

myst_heading_anchors = 3

default_role = "code"
smartquotes_action = "D"  # dashes alone
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"edgeemo {release}"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "index.html"}

INDEX_PAGES = (root_doc, "docs/decisions/README")


def add_contents(_: Sphinx, page: str, source: list[str]) -> None:
    """Append a hidden table of contents to an index page: its own lists of links."""
    if page in INDEX_PAGES:
        groups = re.split(r"^##? ", source[0], flags=re.MULTILINE)[1:]
        source[0] += "".join(map(_contents, groups))


def _contents(group: str) -> str:
    title, _, text = group.partition("\n")
    pages = re.findall(r"^(?:-|\d+\.) \[.+?\]\(([^)#]+)\.md\)", text, flags=re.MULTILINE)
    if not pages:
        return ""
    return "\n".join(["\n```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```\n"])


def describe_options(
    _app: Sphinx, _what: str, _name: str, documented: object, _options: object, lines: list[str]
) -> None:
    """Append the options that a class declares to its docstring."""
    if is_dataclass(documented) and "Annotated" in str(documented.__annotations__):
        for name, each in option_fields(documented).items():
            allowed = f" Allowed: {each.option.range}." if each.option.range else ""
            lines += [f":ivar {name}: {each.option.help}{allowed}"]


def load_names() -> None:
    """Load the names that packages import when first used, which autodoc would not see."""
    for module in (edgeemo, *_packages()):
        for name in getattr(module, "__all__", ()):
            setattr(module, name, getattr(module, name))


def _packages() -> list[ModuleType]:
    found = iter_modules(edgeemo.__path__, "edgeemo.")
    return [import_module(module.name) for module in found if module.ispkg]


def setup(app: Sphinx) -> None:
    """Connect the functions above, after `load_names`."""
    load_names()
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", describe_options)
