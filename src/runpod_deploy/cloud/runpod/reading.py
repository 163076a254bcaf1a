"""Answers as values, or an error that says that they make no sense. Pure; knows no HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from ...errors import AnswerUnclear, CloudUnreachable
from ..pod_labels import LABELS
from ..values import Pod
from . import shapes
from .calls import Answer, Call

NONSENSE_HINT = "look at https://console.runpod.io/pods; a newer runpod-deploy may understand it"

Row = dict[str, Any]
T = TypeVar("T")
OnOdd = Callable[[object], None]
"""Receives a row that makes no sense and was skipped."""
LONGEST_ROW = 200
"""Characters of a row that a message shows. Rows of our listings hold no secrets any more."""
DEFECTS = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


@contextmanager
def parsing(what: str, *, unclear: bool = False) -> Iterator[None]:
    """Errors in this block become CloudUnreachable, or AnswerUnclear if the call may have had its effect."""
    try:
        yield
    except DEFECTS as defect:
        message = f"cannot {what}: the answer makes no sense ({type(defect).__name__}: {defect})"
        raise (AnswerUnclear if unclear else CloudUnreachable)(message, hint=NONSENSE_HINT) from defect


def read_pod(answer: Answer, call: Call) -> Pod:
    """The pod in the answer. An answer that holds none is unclear after a call that changes something."""
    with parsing(call.what, unclear=not call.repeatable):
        return shapes.as_pod(answer.document or {})


def ignore(_row: object) -> None:
    """For readers who need not know which rows were skipped."""


def each(rows: Iterable[Any], read: Callable[[Any], T], on_odd: OnOdd = ignore) -> list[T]:
    """What could be read. A row that makes no sense says nothing about the others: it is reported and skipped."""
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except DEFECTS:
            on_odd(row)
    return found


def read_pods(rows: Iterable[Any], on_odd: OnOdd = ignore) -> list[Pod]:
    """The pods of a listing, newest first. A pod whose row cannot be read is missing: ask for it by its id."""
    return sorted(each(rows, shapes.as_pod, on_odd), key=creation_time, reverse=True)


def creation_time(pod: Pod) -> float:
    """The pod's creation in seconds since the epoch; 0 if it is unknown."""
    return pod.created_at.timestamp() if pod.created_at else 0.0


def page_rows(page: Row, key: str, what: str, on_odd: OnOdd = ignore) -> list[Row]:
    """The rows of one page. Raises CloudUnreachable if it has no list: that must not read as an empty account."""
    rows = page.get(key)
    if not isinstance(rows, list) or (rows and not any(isinstance(row, dict) for row in rows)):
        raise CloudUnreachable(f"cannot {what}: the answer has no list {key!r}", hint=NONSENSE_HINT)
    return each(rows, row_of, on_odd)


def row_of(row: object) -> Row:
    """The row. Raises TypeError if it is not a JSON object."""
    if not isinstance(row, dict):
        raise TypeError(f"not a row: {row!r}")
    return row


def next_cursor(page: Row) -> str | None:
    """The cursor of the next page; None on the last one."""
    pagination = page.get("pagination")
    if not isinstance(pagination, dict) or not pagination.get("hasNextPage"):
        return None
    return str(pagination["nextCursor"]) if pagination.get("nextCursor") else None


def shortened(row: str) -> str:
    """The beginning of a row, for a message."""
    return row if len(row) <= LONGEST_ROW else row[:LONGEST_ROW] + "…"


def without_secrets(row: Row) -> Row:
    """The row without the values of the pod's environment, except for our own labels: the others may be secret."""
    env = row.get("env")
    known = env if isinstance(env, dict) else {}
    return {**row, "env": {label: known[label] for label in LABELS if label in known}}
