"""HTML by small pieces. Everything that comes from a record is escaped here. Pure; knows no run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

UNKNOWN = "—"


def tag(name: str, *content: str, css: str = "", **attributes: str) -> str:
    """An element. Content is markup; attributes are text."""
    given = {**({"class": css} if css else {}), **attributes}
    written = "".join(f' {key}="{escape(value)}"' for key, value in given.items())
    return f"<{name}{written}>{''.join(content)}</{name}>"


def text(value: Any) -> str:
    """A value as markup; a dash for none."""
    return UNKNOWN if value is None else escape(str(value))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    """A table of cells that are markup."""
    head = tag("tr", *(tag("th", escape(name)) for name in header))
    body = (tag("tr", *(tag("td", cell) for cell in row)) for row in rows)
    return tag("table", tag("thead", head), tag("tbody", *body), css=css)


def facts(pairs: Iterable[tuple[str, Any]]) -> str:
    """Names and values, side by side."""
    return tag("dl", *(tag("dt", escape(name)) + tag("dd", text(value)) for name, value in pairs))


def section(title: str, content: str) -> str:
    """A titled part of a run; nothing if it has no content."""
    return tag("h3", escape(title)) + content if content else ""


def share(part: float, whole: float) -> str:
    """A length in percent for CSS and SVG."""
    return f"{100 * part / whole if whole else 0:.2f}"
