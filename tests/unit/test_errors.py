"""The tree of errors in the docstring of errors.py is that of its classes, in their order, with their exit codes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from runpod_deploy import errors
from runpod_deploy.errors import DeployError, failure_kind

ROW = re.compile(r"^(?P<indent>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +(?P<code>\d+))?(?P<yes>  yes)?(?:  .*)?$")


def drawn() -> list[tuple[str, str, int, bool]]:
    """Parent, name, exit code and transience of each row below the root."""
    _, _, drawing = (errors.__doc__ or "").partition("\n\nDeployError")
    rows, above = [], ["DeployError"]
    for line in drawing.partition("\n\n")[0].splitlines()[1:]:
        row = ROW.match(line)
        assert row, line
        depth = len(row["indent"]) // 3
        above[depth:] = [row["name"]]
        rows.append((above[depth - 1], row["name"], int(row["code"]), row["yes"] is not None))
    return rows


def classes(parent: type[DeployError] = DeployError) -> Iterator[tuple[str, str, int, bool]]:
    """The same of the classes in errors.py, in their order; those of other modules are details of these."""
    for child in parent.__subclasses__():
        if child.__module__ == errors.__name__:
            kind = failure_kind(child.kind)
            yield parent.__name__, child.__name__, kind.exit_code, kind.transient
            yield from classes(child)


def test_the_tree_in_the_docstring_is_that_of_the_classes() -> None:
    assert drawn() == list(classes())
