"""A page from a template: every name in it is escaped, and it loads nothing from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from morphoscope.errors import OutputError
from morphoscope.reporting.page_text import FILTERS


def render_page(template: str, **values: Any) -> str:
    """The page as text. template: a file of `reporting/templates`; a name that it uses and `values` lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("morphoscope.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= FILTERS
    return environment.get_template(template).render(values)


def write_page(text: str, path: Path) -> Path:
    """Writes a rendered page. Raises OutputError."""
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(
            f"{path}: the report can't be written ({error.strerror}); expected a writable folder. Choose another --out."
        ) from error
    return path
