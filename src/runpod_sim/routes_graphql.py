"""/graphql, the older API. Knows HTTP and GraphQL; what fields mean is elsewhere.

Errors of what was asked come with HTTP 200, errors of how it was asked with 400; there is no introspection.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from graphql import (
    GraphQLError,
    GraphQLScalarType,
    NoSchemaIntrospectionCustomRule,
    StringValueNode,
    ValueNode,
    build_schema,
    execute_sync,
    parse,
    specified_rules,
    validate,
)

from .answers import CLOUD, WHO, answer
from .graph import Root
from .problems import Problem

RULES = (*specified_rules, NoSchemaIntrospectionCustomRule)
SCHEMA = build_schema((Path(__file__).parent / "graph.graphql").read_text())


def _instant(value: Any) -> Any:
    """A DateTime; durations such as 1h are none."""
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise GraphQLError(f"DateTime cannot represent an invalid date-time-string {value}.") from error
    return value


def _literal(node: ValueNode, _variables: Any = None) -> Any:
    return _instant(node.value if isinstance(node, StringValueNode) else None)


_date_time = SCHEMA.type_map["DateTime"]
assert isinstance(_date_time, GraphQLScalarType)
_date_time.parse_value, _date_time.parse_literal = _instant, _literal  # type: ignore[method-assign, assignment]


def routes() -> list[web.RouteDef]:
    """The only one."""
    return [web.post("/graphql", execute)]


async def execute(request: web.Request) -> web.Response:
    """What the query asks for."""
    try:
        given = json.loads(await request.read())
        query, variables, name = given["query"], given.get("variables"), given.get("operationName")
        document = parse(query)
    except (ValueError, TypeError, KeyError, AttributeError):
        return answer(
            {"errors": [_error("POST body missing, invalid Content-Type, or JSON object has no query.")]}, 400
        )
    except GraphQLError as error:
        return answer({"errors": [_error(error.message, "GRAPHQL_PARSE_FAILED")]}, 400)
    if broken := validate(SCHEMA, document, RULES):
        # The live service quotes names as JavaScript's library does.
        texts = [error.message.replace("'", '"') for error in broken]
        return answer({"errors": [_error(text, "GRAPHQL_VALIDATION_FAILED") for text in texts]}, 400)
    root = Root(request.app[CLOUD], request[WHO])
    done = execute_sync(SCHEMA, document, root, variable_values=variables, operation_name=name)
    if not done.errors:
        return answer({"data": done.data})
    return answer({"errors": [_refusal(error) for error in done.errors], "data": done.data})


def _refusal(error: GraphQLError) -> dict[str, Any]:
    ours = isinstance(error.original_error, Problem)
    code = "RUNPOD" if ours else "INTERNAL_SERVER_ERROR"
    row = _error(error.original_error.detail if isinstance(error.original_error, Problem) else error.message, code)
    return row | ({"path": error.path} if error.path else {})


def _error(message: str, code: str = "BAD_REQUEST") -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}
