"""/v2/pods. Knows HTTP and the cloud's pods."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ..faults.facts import facts_of_spec
from ..records import schemas
from ..records.pods import ACCOUNT, Pod
from ..records.problems import Problem
from ..records.view import pod_json
from .answers import CALLER, CLOUD, answer, body, flag, nothing, page


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    return [
        web.get("/v2/pods", index, allow_head=False),
        web.post("/v2/pods", create),
        web.get("/v2/pods/{id}", show, allow_head=False),
        web.patch("/v2/pods/{id}", update),
        web.delete("/v2/pods/{id}", delete),
        web.post("/v2/pods/{id}/action", act),
    ]


async def index(request: web.Request) -> web.Response:
    """The account's pods, newest first."""
    cloud = request.app[CLOUD]
    # There are no clusters here, so it makes no difference; but it has to be a boolean.
    flag(request, "includeClusterPods")
    return page(request, "pods", [pod_json(pod) for pod in cloud.listed()], reversed(cloud.pods))


async def create(request: web.Request) -> web.Response:
    """A new pod."""
    given, cloud = await body(request, schemas.CREATE_POD), request.app[CLOUD]
    if (late := cloud.faults.on("late-create", facts_of_spec(given))) is not None:
        asyncio.get_running_loop().call_later(late.parameters["seconds"], cloud.create, given)
        raise Problem(504, "upstream request timed out")
    return answer(pod_json(cloud.create(given)), 201)


async def show(request: web.Request) -> web.Response:
    """One pod."""
    return answer(pod_json(_pod(request)))


async def update(request: web.Request) -> web.Response:
    """The pod with these fields changed; most changes make its container anew."""
    change = await body(request, schemas.UPDATE_POD)
    pod = _pod(request)
    request.app[CLOUD].update(pod, change)
    return answer(pod_json(pod))


async def delete(request: web.Request) -> web.Response:
    """The pod is being ended."""
    request.app[CLOUD].delete(_pod(request), _how(request, "deleted"))
    return nothing()


async def act(request: web.Request) -> web.Response:
    """The action is under way."""
    pod = _pod(request)
    action = (await body(request, schemas.POD_ACTION))["action"]
    request.app[CLOUD].act(pod, action, _how(request, "deleted" if action == "terminate" else "stopped"))
    return nothing() if action == "terminate" else answer(pod_json(pod))


def _pod(request: web.Request) -> Pod:
    return request.app[CLOUD].pod(request.match_info["id"])


def _how(request: web.Request, verb: str) -> str:
    return verb if request[CALLER] == ACCOUNT else f"self-{verb}"
