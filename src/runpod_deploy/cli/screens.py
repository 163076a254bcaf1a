"""Records on a terminal: in colour, with ages, and fitted to the width. Knows rich."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.text import Text

from ..history.events import Row, described
from ..history.layouts import UNKNOWN
from ..spec.visible import visible
from ..terminal.fitting import Cell
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


def show_lines(lines: Iterable[Sequence[Cell]]) -> None:
    """The cells of each line are on the terminal in their colours."""
    console = Console(highlight=False, markup=False, emoji=False)
    for line in lines:
        console.print(Text.assemble(*((cell.text, cell.style) for cell in line)), soft_wrap=True)


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


def event_text(prefix: str, row: Row) -> Text:
    """One event, in the colour of its name."""
    return Text.assemble((visible(prefix), "dim"), " ", (visible(described(row)), event_colour(str(row.get("event")))))
