"""/graphql, the older API. Knows HTTP only."""

from __future__ import annotations

import json

from aiohttp import web

from ..graphql.resolvers import Resolvers
from .answers import CALLER, CLOUD, answer

NO_QUERY = "POST body missing, invalid Content-Type, or JSON object has no query."


def routes() -> list[web.RouteDef]:
    """The route of this module."""
    return [web.post("/graphql", execute)]


async def execute(request: web.Request) -> web.Response:
    """The answer to the query."""
    # Imported late: reading the schema doubles the time to start, and most clients never use GraphQL.
    from ..graphql.execution import carry_out

    try:
        given = json.loads(await request.read())
        query, variables, operation = str(given["query"]), given.get("variables"), given.get("operationName")
        if not isinstance(variables, dict | None):
            raise TypeError(variables)
    except (ValueError, TypeError, KeyError, RecursionError):
        return answer({"errors": [{"message": NO_QUERY, "extensions": {"code": "BAD_REQUEST"}}]}, 400)
    body, status = carry_out(Resolvers(request.app[CLOUD], request[CALLER]), query, variables, operation)
    return answer(body, status)
