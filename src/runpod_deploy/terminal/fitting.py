"""Tables fitted to a width: columns shrink, or are left out, but a name is never broken. Pure; knows no stream."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..spec.visible import visible

GAP, NARROW_GAP = 2, 1
NARROW = 100
"""Below this width, columns that matter are worth more than the gaps between them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and what becomes of it where there is little room."""

    title: str
    least: int = 0
    """It may be cut to this many characters; 0: never."""
    right: bool = False
    """Whether its cells are aligned to the right."""
    rank: int = 0
    """Columns with the highest rank are left out first; 0: never."""
    extra: bool = False
    """Whether it is only shown if no other column is cut below its `comfort`."""
    comfort: int = 0
    """The width from which on the column reads well."""


MARKED = 4
"""Characters for each column of a long text that are looked at: some marks take no column of their own."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and its colour."""

    text: str
    style: str = ""


def fitted(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None, *, dense: bool = False
) -> list[list[Cell]]:
    """The heading and the rows as lines of padded cells, no wider than that; None: as wide as they are.

    A dense table has narrow gaps on a narrow terminal.
    """
    table = [[Cell(column.title, "bold") for column in columns], *rows]
    shown = [[Cell(visible(cell.text), cell.style) for cell in row] for row in table]
    gap = NARROW_GAP if dense and width is not None and width < NARROW else GAP
    kept = chosen(columns, natural(shown), width, gap)
    kept_columns = [columns[at] for at in kept]
    kept_rows = [[row[at] for at in kept] for row in shown]
    sizes = shrunk(kept_columns, natural(kept_rows), width, gap)
    return [list(padded(kept_columns, row, sizes, gap)) for row in kept_rows]


def natural(rows: Sequence[Sequence[Cell]]) -> list[int]:
    """The width of the widest cell of each column."""
    return [max(map(cells_of, column)) for column in zip(*([cell.text for cell in row] for row in rows), strict=True)]


def chosen(columns: Sequence[Column], sizes: Sequence[int], width: int | None, gap: int) -> list[int]:
    """The indexes of the columns that fit: extra ones while the others read well, others if they can be cut."""
    kept = list(range(len(columns)))
    for read_well in (True, False):
        while width is not None and needed(columns, sizes, kept, read_well=read_well) + gap * (len(kept) - 1) > width:
            offered = [at for at in kept if columns[at].rank and columns[at].extra >= read_well]
            if not offered:
                break
            kept.remove(max(offered, key=lambda at: columns[at].rank))
    return kept


def needed(columns: Sequence[Column], sizes: Sequence[int], kept: Sequence[int], *, read_well: bool) -> int:
    """The least width of these columns without gaps, or the least with which they read well."""
    return sum(least(columns[at], sizes[at], read_well=read_well) for at in kept)


def least(column: Column, size: int, *, read_well: bool = False) -> int:
    """The least width of a column whose widest cell has this size, or the least with which it reads well."""
    wanted = max(column.least, column.comfort if read_well else 0, cells_of(column.title))
    return min(size, wanted) if column.least else size


def shrunk(columns: Sequence[Column], sizes: Sequence[int], width: int | None, gap: int) -> list[int]:
    """The width of each column: the room that is left is shared by those that were cut."""
    if width is None:
        return list(sizes)
    given = [least(column, size) for column, size in zip(columns, sizes, strict=True)]
    spare = width - sum(given) - gap * (len(given) - 1)
    while spare > 0 and (cut := [at for at, size in enumerate(sizes) if given[at] < size]):
        for at in cut[:spare]:
            given[at] += 1
        spare -= len(cut)
    return given


def padded(columns: Sequence[Column], row: Sequence[Cell], sizes: Sequence[int], gap: int) -> Iterator[Cell]:
    """The cells of a line, with the gaps between them."""
    for at, (column, cell, size) in enumerate(zip(columns, row, sizes, strict=True)):
        text = cut(cell.text, size)
        blank = " " * (size - cells_of(text))
        last = at == len(sizes) - 1
        aligned = blank + text if column.right else text if last else text + blank
        yield Cell(aligned if last else aligned + " " * gap, cell.style)


def cut(text: str, size: int) -> str:
    """The text, cut with `…` if it is wider than that."""
    if cells_of(text) <= size:
        return text
    text = text[: MARKED * size]
    while text and cells_of(text) > size - 1:
        text = text[:-1]
    return f"{text}…"


def cells_of(text: str) -> int:
    """The number of columns that the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
