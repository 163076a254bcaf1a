"""Records on a terminal: in colour, with ages, and fitted to the width. Knows rich."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from ..history.comparison import Difference, relation
from ..history.events import Row, described
from ..history.folders import ago
from ..history.layouts import RUN_COLUMNS, UNKNOWN, run_cells
from ..spec.visible import visible
from ..terminal.style import event_colour

MISSING = ("None", "None (None)")
"""The values of lines that scripts read where the manifest has none; people get a dash."""


def show(parts: Iterable[RenderableType]) -> int:
    """The number of parts that are on the terminal now."""
    console, count = Console(highlight=False, markup=False, emoji=False), 0
    for part in parts:
        console.print(part)
        count += 1
    return count


def styled(text: str, style: str, rest: str) -> Text:
    """The text in that style, and the rest plain after it."""
    return Text.assemble((visible(text), style), visible(rest))


def runs_table(rows: list[dict[str, Any]], now: datetime) -> Table:
    """The runs with their age, failed ones in red."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when", *RUN_COLUMNS):
        number = name in ("wall_s", "est_$")
        table.add_column(name, justify="right" if number else "left", overflow="fold" if number else "ellipsis")
    for row in rows:
        cells = (ago(row["timestamp"], now), *run_cells(row))
        table.add_row(*(Text(visible(cell)) for cell in cells), style=colour_of(row["failed"]))
    return table


def colour_of(failed: bool | None) -> str:
    """Red for a failed run, yellow for one that has not ended."""
    return {True: "red", None: "yellow"}.get(failed, "")


def labelled(line: str) -> Text:
    """A `label: value` line with its label dimmed, or a heading in bold. A dash stands for a missing value."""
    label, colon, value = visible(line).partition(":")
    if value.strip() in MISSING:
        value = value.replace(value.strip(), UNKNOWN)
    if label.startswith("=="):
        return Text(visible(line), "bold")
    return Text.assemble((label + colon, "dim"), (value, value_colour(label, value)))


def value_colour(label: str, value: str) -> str:
    """Red for a value that says that something went wrong."""
    wrong = (label == "failed" and value.strip() not in ("False", "0", "None")) or "status=failed" in value
    return "red" if wrong or label == "failure" else ""


def comparison_table(paths: tuple[str, str], differences: list[Difference]) -> Table:
    """Fields that differ in yellow, the others dimmed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("field")
    table.add_column(visible(f"{paths[0]}  →  {paths[1]}"))
    for difference in differences:
        style = "dim" if difference.a == difference.b else "yellow"
        table.add_row(Text(visible(difference.field)), Text(visible(relation(difference))), style=style)
    return table


def event_text(prefix: str, row: Row) -> Text:
    """One event, in the colour of its name."""
    return Text.assemble((visible(prefix), "dim"), " ", (visible(described(row)), event_colour(str(row.get("event")))))
