"""Tables: in the layout that scripts parse, or in colour on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..spec.visible import visible
from ..terminal.output import can_draw, print_lines
from ..terminal.style import state_colour

NUMBER_SIGNS = ("$", "GB", "AGE")


def print_table(plain: Iterable[str], columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """The table is on stdout: the plain lines, or on a terminal the rows under their columns."""
    if can_draw():
        show_table(columns, rows)
    else:
        print_lines(plain)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """The rows are on the terminal, fitted to its width, with states in colour."""
    # rich is slow to import, and only needed here.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        number = name.startswith(NUMBER_SIGNS)
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell), style=state_colour(cell)) for cell in row))
    Console(highlight=False, markup=False, emoji=False).print(table)


def print_labelled(lines: Iterable[str]) -> None:
    """Lines such as `label: value` are on stdout; on a terminal, in colour."""
    if can_draw():
        from .screens import labelled, show  # rich is slow to import, and only needed here

        show(map(labelled, lines))
    else:
        print_lines(lines)
