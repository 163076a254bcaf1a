"""The text below each field of a dataclass, from its source. Knows Python's grammar; knows no field by name.

pydantic can read these texts too, but does so whenever a validator is built, which costs every command that reads
a config a tenth of its time. Only the JSON Schema needs them.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise


def field_docs(cls: type) -> dict[str, str]:
    """What each field's own docstring says, by field."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    docs = {}
    for field, text in pairwise(definition.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                docs[name] = inspect.cleandoc(doc)
    return docs
