"""/graphql, the older API. Knows HTTP only."""

from __future__ import annotations

import json

from aiohttp import web

from ..graphql.resolvers import Resolvers
from .answers import CLOUD, WHO, answer

NO_QUERY = "POST body missing, invalid Content-Type, or JSON object has no query."


def routes() -> list[web.RouteDef]:
    """The only one."""
    return [web.post("/graphql", execute)]


async def execute(request: web.Request) -> web.Response:
    """What the query asks for."""
    # Imported late: reading the schema takes as long as everything else at the start, and most never ask.
    from ..graphql.execution import carry_out

    try:
        given = json.loads(await request.read())
        query, variables, operation = str(given["query"]), given.get("variables"), given.get("operationName")
        if not isinstance(variables, dict | None):
            raise TypeError(variables)
    except (ValueError, TypeError, KeyError):
        return answer({"errors": [{"message": NO_QUERY, "extensions": {"code": "BAD_REQUEST"}}]}, 400)
    body, status = carry_out(Resolvers(request.app[CLOUD], request[WHO]), query, variables, operation)
    return answer(body, status)
