"""Runs GraphQL documents and words errors as the older API does. Knows GraphQL; the fields are in resolvers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from graphql import (
    ExecutionResult,
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

from ..records.problems import Problem
from .resolvers import Resolvers

Json = dict[str, Any]
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


def carry_out(root: Resolvers, query: str, variables: Json | None, operation: str | None) -> tuple[Json, int]:
    """The answer and its status: 400 for a query that the schema does not allow; errors of resolvers come with 200."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return {"errors": [_error(error.message, "GRAPHQL_PARSE_FAILED")]}, 400
    except RecursionError:
        return {"errors": [_error("Syntax Error: the document is too deep.", "GRAPHQL_PARSE_FAILED")]}, 400
    if broken := validate(SCHEMA, document, RULES):
        # The live service quotes names as JavaScript's library does.
        texts = [error.message.replace("'", '"') for error in broken]
        return {"errors": [_error(text, "GRAPHQL_VALIDATION_FAILED") for text in texts]}, 400
    done = execute_sync(SCHEMA, document, root, variable_values=variables, operation_name=operation)
    assert isinstance(done, ExecutionResult)
    if not done.errors:
        return {"data": done.data}, 200
    return {"errors": [_refusal(error) for error in done.errors], "data": done.data}, 200


def _refusal(error: GraphQLError) -> Json:
    problem = error.original_error
    if isinstance(problem, Problem):
        return _error(problem.detail, "RUNPOD") | {"path": error.path}
    return _error(error.message, "INTERNAL_SERVER_ERROR") | ({"path": error.path} if error.path else {})


def _error(message: str, code: str) -> Json:
    return {"message": message, "extensions": {"code": code}}
