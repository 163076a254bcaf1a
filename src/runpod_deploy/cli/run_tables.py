"""Tables of runs: fitted to the terminal, in colour, or as CSV. Knows columns; knows no command."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..errors import UsageError
from ..history.facts import Facts
from ..history.filters import Filter, run_filter, since
from ..history.matrix import Best, marked, parameters, titles, value_text
from ..machine.clock import SystemClock
from ..spec.plain import is_number
from ..terminal.fitting import Cell, Column, fitted
from ..terminal.output import can_draw, print_lines, terminal_width
from .durations import read_duration

LEAST_CHARS, COMFORT_CHARS = 9, 16
WHOLE = ("run", "cost", "duration", "cap", "price", "started")
FIRST_RANK = 10
"""The rank of the first column that may be left out; later ones have higher ranks and go first."""


def filters_of(texts: Iterable[str]) -> list[Filter]:
    """The filters of `--filter`; `since=7d` counts from now. Raises UsageError."""
    return [age_filter(text) if text.startswith("since=") else run_filter(text) for text in texts]


def age_filter(text: str) -> Filter:
    """The filter for runs that are younger than this. Raises UsageError."""
    age: timedelta | None = read_duration(text.removeprefix("since="))
    if age is None:
        raise UsageError(f"--filter {text!r}: no duration", hint="write a number and s, m, h or d: since=7d")
    return since(SystemClock().now() - age)


def print_facts(keys: Sequence[str], runs: Sequence[Facts], best: Best | None = None) -> None:
    """A row for each run and a column for each fact are on stdout; on a terminal, as many columns as fit."""
    value = best.value(runs) if best else None
    columns = [column_of(key, title, at, runs) for at, (key, title) in enumerate(zip(keys, titles(keys), strict=True))]
    rows = [[Cell(marked(key, run, best, value), colour(key, run, best, value)) for key in keys] for run in runs]
    print_fitted(columns, rows)


def column_of(key: str, title: str, at: int, runs: Sequence[Facts]) -> Column:
    """The column of a fact. The first four are never left out."""
    numbers = all(is_number(run.get(key)) or run.get(key) is None for run in runs)
    right = numbers and any(run.get(key) is not None for run in runs)
    whole = right or key in WHOLE or key.startswith("var.")
    return Column(title, 0 if whole else LEAST_CHARS, right, 0 if at < 4 else FIRST_RANK + at, True, COMFORT_CHARS)


def colour(key: str, run: Facts, best: Best | None, value: float | None) -> str:
    """The colour of a cell: that of the outcome, or of the best value."""
    if key == "outcome":
        return outcome_colour(run)
    return "bold green" if best and key == best.key and value is not None and run.get(key) == value else ""


def outcome_colour(run: Facts) -> str:
    """Green for a success, red for a failure, yellow for what is not over or was interrupted."""
    if run["outcome"] in ("interrupted", "running", "detached"):
        return "yellow"
    return {True: "red", False: "green", None: ""}[run["failed"]]


def print_fitted(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, dense: bool = False) -> None:
    """The table is on stdout, fitted to the terminal if it is one."""
    lines = fitted(columns, rows, terminal_width(), dense=dense)
    if not can_draw():
        print_lines("".join(cell.text for cell in line).rstrip() for line in lines)
        return
    from .screens import show_lines  # rich is slow to import, and only needed here

    show_lines(lines)


def print_csv(keys: Sequence[str], runs: Sequence[Facts]) -> None:
    """The facts as CSV with a heading: numbers as they are, times as ISO texts, nothing for what is unknown."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(titles(keys))
    writer.writerows([bare(run.get(key)) for key in keys] for run in runs)
    print_lines(file.getvalue().splitlines())


def bare(value: Any) -> Any:
    """The value for CSV. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) and not is_text_of_number(value):
        return f"'{value}"
    return "" if value is None else value


def is_text_of_number(text: str) -> bool:
    """Whether the text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def best_line(best: Best, runs: Sequence[Facts]) -> str:
    """The best value and its run, with the parameters that led there."""
    (first, *more) = runs
    also = f" and {len(more)} more" if more else ""
    what = "lowest" if best.lowest else "highest"
    settings = " ".join(parameters(first))
    return (
        f"{what} {best.name}: {value_text(best.key, first[best.key])}, run {first['run']}{also}"
        f"{f' ({settings})' if settings else ''}"
    )


def as_json(facts: Facts) -> Facts:
    """The facts with times as ISO texts."""
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in facts.items()}
