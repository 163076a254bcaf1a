"""Tables on terminals of any width: columns shrink or are left out, and a name is never broken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.terminal.fitting import Cell, Column, cells_of, fitted

COLUMNS = (Column("run"), Column("job", least=5), Column("pod", rank=2), Column("last", least=6), Column("x", rank=1))
ROW = ("20261127T232500Z", "train-transformer", "ux0unljx9tzrg0", "epoch 3 of 10, loss 0.41", "42")


def lines(width: int | None, *rows: tuple[str, ...]) -> list[str]:
    """The table as text."""
    return ["".join(cell.text for cell in line) for line in fitted(COLUMNS, [[*map(Cell, row)] for row in rows], width)]


def test_without_a_width_everything_is_shown() -> None:
    assert "  ".join(ROW) == lines(None, ROW)[1]


def test_columns_are_left_out_by_rank_and_then_cut() -> None:
    assert lines(60, ROW)[1] == "20261127T232500Z  train-tra…  ux0unljx9tzrg0  epoch 3 o…  42"
    assert ROW[2] not in lines(40, ROW)[1] and lines(40, ROW)[1].endswith("  42")
    assert lines(32, ROW)[1].split("  ")[0] == ROW[0]


@given(st.lists(st.tuples(*[st.text(max_size=30)] * 4), max_size=5), st.integers(40, 200))
def test_no_line_is_wider_than_the_terminal_and_no_run_is_broken(rows: list[tuple[str, ...]], width: int) -> None:
    shown = lines(width, *((f"2026112{i}T000000Z", *row) for i, row in enumerate(rows)))
    assert all(cells_of(line) <= width or width < 60 for line in shown)
    assert all(line.startswith(f"2026112{i}T000000Z") for i, line in enumerate(shown[1:]))
