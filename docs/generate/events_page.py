"""The reference of events as Markdown. Knows the classes of events and their docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator

from runpod_deploy.record import events

INTRODUCTION = """\
# Events

`events.jsonl` in a run dir holds one JSON object on each line: `ts_utc`, `event`, then the fields below. Rows are only
added, never changed. Read them with `runpod-deploy events RUN_DIR`, `runpod-deploy events-query` or any JSON tool. A
reader should ignore names and fields that it does not know. A job adds its own rows by printing a line such as
`__RUNPOD_EVENT__ {"event": "eval_done", "f1": 0.9}`; these rows have `"source": "job"`. This page is made from the
code that writes the rows.

| event | fields | when |
|---|---|---|
"""


def page() -> str:
    """The page: one row for each event."""
    return INTRODUCTION + "\n".join(rows()) + "\n"


def rows() -> Iterator[str]:
    """The rows of the table, in the order in which a run records them."""
    for name, kind in events.EVENT_KINDS.items():
        if kind is not events.JobEvent:
            fields = [field.name.rstrip("_") for field in dataclasses.fields(kind) if field.name != "ts_utc"]
            yield f"| `{name}` | {', '.join(f'`{field}`' for field in fields)} | {meaning(kind)} |"


def meaning(kind: type[events.Event]) -> str:
    """The class's docstring, and those of its fields."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    texts = [inspect.getdoc(kind) or ""]
    for before, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(before, ast.AnnAssign) and isinstance(after, ast.Expr):
            texts.append(f"`{ast.unparse(before.target).rstrip('_')}`: {ast.literal_eval(after.value)}")
    return " ".join(" ".join(texts).split()).replace("|", "\\|")
