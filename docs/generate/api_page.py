"""The reference of the Python API. Knows the names that the package offers; knows nothing about what they do."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any

from runpod_deploy import api

INTRODUCTION = """\
# Python API

`from runpod_deploy import …` offers exactly these names, and each is loaded when it is first used. Everything is
typed. Errors are those of [Exit codes](exit-codes.md): each has a `kind`, a `hint` and an `exit_code`. An example is in
[Ask all runs at once](../recipes/python-api-for-forensics.md). This page is made from the code.
"""


def page() -> str:
    """The page: functions first, then classes, then constants."""
    names = [(name, getattr(api, name)) for name in api.__all__]
    functions = [(name, it) for name, it in names if inspect.isfunction(it)]
    classes = [(name, it) for name, it in names if inspect.isclass(it)]
    rest = [(name, it) for name, it in names if not inspect.isfunction(it) and not inspect.isclass(it)]
    parts = [INTRODUCTION, "## Functions", *(function(name, it) for name, it in functions)]
    parts += ["## Classes", *("\n".join(described(name, it)) for name, it in classes)]
    parts += ["## Constants", "| name | value |\n|---|---|\n" + "\n".join(constant(name, it) for name, it in rest)]
    return "\n\n".join(parts) + "\n"


def function(name: str, it: Any) -> str:
    """Heading, signature and docstring of a function."""
    signature = str(inspect.signature(it)).replace("'", "")
    return f"### {name}\n\n```text\n{name}{wrapped(signature)}\n```\n\n{inspect.getdoc(it)}"


def wrapped(signature: str) -> str:
    """The signature, with one parameter on each line if it is long."""
    if len(signature) <= 90:
        return signature
    inside, _, returned = signature[1:].rpartition(") -> ")
    parameters = re.split(r", (?=\*|\w+:)", inside)  # not at the comma of a type such as dict[str, str]
    return "(\n    " + ",\n    ".join(parameters) + f",\n) -> {returned}"


def described(name: str, it: type) -> Iterator[str]:
    """Heading and docstring of a class, its fields and its methods."""
    yield f"### {name}\n\n{inspect.getdoc(it)}\n"
    if dataclasses.is_dataclass(it):
        fields = ", ".join(f"`{field.name}`" for field in dataclasses.fields(it))
        yield f"Fields: {fields}\n"
    for key, member in vars(it).items():
        if not key.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            yield f"* `{key}`: {' '.join((inspect.getdoc(member) or '').split())}"


def constant(name: str, it: Any) -> str:
    """One line of the table."""
    return f"| `{name}` | `{it}` |"
