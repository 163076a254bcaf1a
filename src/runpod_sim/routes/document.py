"""/v2/openapi.json: the simulator's own description, open to everybody. Knows its routes and the bodies they take."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..records import schemas
from .answers import answer

Json = dict[str, Any]
BODIES = {
    ("POST", "/v2/pods"): schemas.CREATE_POD,
    ("PATCH", "/v2/pods/{id}"): schemas.UPDATE_POD,
    ("POST", "/v2/pods/{id}/action"): schemas.POD_ACTION,
    ("POST", "/v2/network-volumes"): schemas.CREATE_VOLUME,
    ("PATCH", "/v2/network-volumes/{id}"): schemas.UPDATE_VOLUME,
    ("POST", "/v2/templates"): schemas.CREATE_TEMPLATE,
    ("PATCH", "/v2/templates/{id}"): schemas.UPDATE_TEMPLATE,
    ("POST", "/v2/registries"): schemas.CREATE_REGISTRY,
    ("PUT", "/v2/account/ssh-keys"): schemas.SSH_KEYS,
    ("POST", "/v2/account/secrets"): schemas.CREATE_SECRET,
    ("PATCH", "/v2/account/secrets/{id}"): schemas.UPDATE_SECRET,
    ("POST", "/v2/global-volumes"): schemas.CREATE_GLOBAL_VOLUME,
}


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    return [
        web.get("/v2/openapi.json", show, allow_head=False),
        # JSON is YAML, too.
        web.get("/v2/openapi.yaml", show, allow_head=False),
    ]


async def show(request: web.Request) -> web.Response:
    """The paths, their methods and their bodies; the answers are those of RunPod's document."""
    paths: dict[str, Json] = {}
    for resource in request.app.router.resources():
        if resource.canonical.startswith("/v2/"):
            operations = {route.method.lower(): _operation(route.method, resource.canonical) for route in resource}
            paths.setdefault(resource.canonical, {}).update(operations)
    scheme = {"bearerAuth": {"type": "http", "scheme": "bearer"}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "runpod-sim", "version": "2", "description": "A simulator of RunPod's REST API v2."},
        "security": [{"bearerAuth": []}],
        "components": {"securitySchemes": scheme},
        "paths": paths,
    }
    return answer(document)


def _operation(method: str, path: str) -> Json:
    operation: Json = {"responses": {"default": {"description": "see RunPod's own document"}}}
    if "{id}" in path:
        operation["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    if (body := BODIES.get((method, path))) is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation
