"""The docstring of each field of a dataclass, from its source code. Knows Python's grammar; knows no field by name.

pydantic can read these docstrings too, but it does so whenever a validator is built. That would take a tenth of the
time of every command that reads a config, and only the JSON Schema needs them.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise


def field_docs(cls: type) -> dict[str, str]:
    """The docstring of each field, by field name."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    docs = {}
    for field, text in pairwise(definition.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                docs[name] = inspect.cleandoc(doc)
    return docs
