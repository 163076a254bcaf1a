"""Answers as values, or an error that says that they make no sense. Pure; knows no HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import AnswerUnclear, CloudUnreachable
from ..pod_labels import MARKS
from ..values import Pod
from . import shapes
from .calls import Answer, Call

NONSENSE_HINT = "look at https://console.runpod.io/pods; a newer runpod-deploy may understand it"

Row = dict[str, Any]


@contextmanager
def making_sense(what: str, *, unclear: bool = False) -> Iterator[None]:
    """Reading in this block fails as CloudUnreachable, or as AnswerUnclear if the call may have had its effect."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as defect:
        message = f"cannot {what}: the answer makes no sense ({type(defect).__name__}: {defect})"
        raise (AnswerUnclear if unclear else CloudUnreachable)(message, hint=NONSENSE_HINT) from defect


def read_pod(answer: Answer, call: Call) -> Pod:
    """The pod in the answer. An answer that holds none is unclear after a call that changes something."""
    with making_sense(call.what, unclear=not call.repeatable):
        return shapes.as_pod(answer.document or {})


def read_pods(rows: list[Row]) -> list[Pod]:
    """The pods of a listing, newest first."""
    with making_sense("list the pods"):
        return sorted(map(shapes.as_pod, rows), key=creation_time, reverse=True)


def creation_time(pod: Pod) -> float:
    """Seconds since the epoch; 0 for a pod that does not say."""
    return pod.created_at.timestamp() if pod.created_at else 0.0


def page_rows(page: Row, key: str, what: str) -> list[Row]:
    """The rows of one page. Raises CloudUnreachable if it has none: an empty list would be a lie."""
    rows = page.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CloudUnreachable(f"cannot {what}: the answer has no list {key!r}", hint=NONSENSE_HINT)
    return rows


def next_cursor(page: Row) -> str | None:
    """Where the list goes on; None at its end."""
    pagination = page.get("pagination")
    if not isinstance(pagination, dict) or not pagination.get("hasNextPage"):
        return None
    return str(pagination["nextCursor"]) if pagination.get("nextCursor") else None


def without_secrets(row: Row) -> Row:
    """The pod with no more of its environment than our own marks: the rest may be nobody's business."""
    env = row.get("env")
    known = env if isinstance(env, dict) else {}
    return {**row, "env": {mark: known[mark] for mark in MARKS if mark in known}}
