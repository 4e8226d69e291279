"""From a template and its values to a page of text."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from edgeemo.errors import MissingExtraError

if TYPE_CHECKING:
    from jinja2 import Environment

_UNPRINTABLE = re.compile("[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f]")


def render(template: str, **context: Any) -> str:
    """A whole HTML page that opens from a file, without internet.

    Every value is escaped where it stands in the page, so labels and file names may hold anything.
    What cannot be written as UTF-8, such as a byte of a file name that is not text, becomes U+FFFD.

    Args:
        template: Name of a file in ``edgeemo/html/templates``, such as "document.html".
        context: What the template asks for; ``base.html`` always asks for `title`.

    Returns:
        The page; write it with `edgeemo.utils.files.write_file`.

    Raises:
        MissingExtraError: If Jinja2 is not installed.
        jinja2.UndefinedError: If the template asks for something that is not in `context`.
    """
    page = _environment().get_template(template).render(**context)
    return _UNPRINTABLE.sub("\ufffd", page)


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("jinja2", extra="data", purpose="writing an HTML page") from None
    environment = Environment(
        loader=PackageLoader("edgeemo.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = "{:,}".format
    environment.filters["share"] = "{:.1%}".format
    return environment
