"""Elements of an HTML page. Everything that comes from a record is made safe here. Pure; knows no run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from ...record.reported import is_link
from ...spec.visible import visible
from ..layouts import or_dash


def tag(name: str, *content: str, css: str = "", **attributes: str) -> str:
    """An element. Its content is markup; its attributes are text."""
    given = {**({"class": css} if css else {}), **attributes}
    written = "".join(f' {key}="{safe(value)}"' for key, value in given.items())
    return f"<{name}{written}>{''.join(content)}</{name}>"


def html_text(value: Any) -> str:
    """A value as escaped text; a dash for none."""
    return safe(or_dash(value))


def safe(text: str) -> str:
    """The text with its markup escaped, and its controls and changes of direction visible."""
    return escape(visible(text, keep="\t\n"))


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    """A table. Its cells are markup."""
    head = tag("tr", *(tag("th", safe(name)) for name in header))
    body = (tag("tr", *(tag("td", cell) for cell in row)) for row in rows)
    return tag("table", tag("thead", head), tag("tbody", *body), css=css)


def fact_list(pairs: Iterable[tuple[str, Any]]) -> str:
    """A list of names and values; empty if there are none."""
    rows = [tag("dt", safe(name)) + tag("dd", html_text(value)) for name, value in pairs]
    return tag("dl", *rows) if rows else ""


def link_list(links: Mapping[str, Any]) -> str:
    """A list of names and the pages that they lead to; empty if there are none. What is no address stays text."""
    rows = [tag("dt", safe(name)) + tag("dd", link(url)) for name, url in links.items()]
    return tag("dl", *rows) if rows else ""


def link(url: Any) -> str:
    """The address of a page, which a click opens without telling it where it was clicked."""
    return tag("a", safe(url), href=url, rel="noreferrer") if is_link(url) else html_text(url)


def section(title: str, content: str) -> str:
    """A section with a title; empty if it has no content."""
    return tag("h3", safe(title)) + content if content else ""


def share(part: float, whole: float) -> str:
    """The part as a percentage of the whole, for CSS and SVG."""
    return f"{100 * part / whole if whole else 0:.2f}"
