"""The steps around every handler: faults, User-Agent, size, key, quota. Knows aiohttp; knows no pods' rules."""

from __future__ import annotations

import asyncio
import secrets
from email.utils import formatdate

from aiohttp import web

from .clock import jump, now, told
from .cloud.cloud import Cloud
from .faults.facts import facts_of_body, facts_of_pod
from .faults.fault import Facts
from .records.pods import ACCOUNT, NOBODY
from .records.problems import Problem
from .routes import account, billing, catalogue, control, document, graphql, logs, pods, registries, templates, volumes
from .routes.answers import CALLER, CLOUD, LIMITS, Handler, problem_answer, request_id
from .routes.fault_answers import answer_after, answer_instead, drip, with_odd_rows, without_pods, without_rows
from .routes.quotas import Limits

BODY_LIMIT = 102_400
CONTROL_LIMIT = 1 << 20
READ_LIMIT = 64 << 20
# Answers of these types come from the proxy in front of the API, which has no quotas.
PROXY_TYPES = ("text/html", "text/plain")
GRAPHQL = "POST /graphql"
OPEN_ROUTES = ("GET /v2/openapi.json", "GET /v2/openapi.yaml")
OWN_NAMES = ("127.0.0.1", "localhost")
CONTROL_TOKEN = web.AppKey("control_token", str)
CONTROL_REFUSED = "send the header `Authorization: Bearer $RUNPOD_SIM_TOKEN`, which `serve` and `exec` export\n"
MODULES = (
    pods,
    logs,
    catalogue,
    volumes,
    templates,
    registries,
    account,
    billing,
    graphql,
    document,
    control,
)
# The key in a pod's environment opens only these routes, and only for its own pod (measured by others in 2026).
POD_KEY_ROUTES = {
    "GET /v2/pods/{id}",
    "DELETE /v2/pods/{id}",
    "POST /v2/pods/{id}/action",
    "GET /v2/pods/{id}/logs",
}


def application(cloud: Cloud, limits: Limits, control_token: str) -> web.Application:
    """All routes, the simulator's own included."""
    app = web.Application(middlewares=[_api], client_max_size=READ_LIMIT)
    app[CLOUD], app[LIMITS], app[CONTROL_TOKEN] = cloud, limits, control_token
    for module in MODULES:
        app.add_routes(module.routes())
    return app


@web.middleware
async def _api(request: web.Request, handler: Handler) -> web.StreamResponse:
    if is_foreign(request):
        return web.Response(text="this address is for programs on this machine\n", status=403)
    if request.path.startswith("/_sim/"):
        return await _control(request, handler)
    label = route_of(request)
    request.app[CLOUD].requests[label] += 1
    answer = await _answer(request, handler, label)
    if not answer.prepared and answer.content_type not in PROXY_TYPES and "cf-ray" not in answer.headers:
        headers = {"x-request-id": request_id(), "Date": formatdate(told(now()), usegmt=True)}
        answer.headers.update(headers | request.app[LIMITS].headers(_token(request, label), now()))
    return answer


async def _control(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The answer of the simulator's own API."""
    if not _controls(request):
        return web.Response(text=CONTROL_REFUSED, status=401)
    try:
        await _read(request, CONTROL_LIMIT)
        return await handler(request)
    except Problem as problem:
        return problem_answer(problem)


async def _answer(request: web.Request, handler: Handler, label: str) -> web.StreamResponse:
    """The handler's answer, or that of a fault which replaces or follows the handler."""
    fault = request.app[CLOUD].faults.on_route(label, await _facts(request))
    if fault is None:
        return await _admit(request, handler, label)
    if fault.what == "slow":
        await asyncio.sleep(fault.parameters["seconds"])
        return await _admit(request, handler, label)
    if fault.what == "clock-jumps":
        jump(float(fault.parameters["seconds"]))
        return await _admit(request, handler, label)
    if fault.what == "other-account":
        return without_pods(label) or await _admit(request, handler, label)
    if fault.what == "odd-rows":
        return with_odd_rows(await _admit(request, handler, label), fault.parameters["rows"])
    if fault.what == "omits-rows":
        return without_rows(await _admit(request, handler, label), int(fault.parameters["count"]))
    if fault.what == "drip":
        return await drip(request, await _admit(request, handler, label), fault.parameters["seconds"])
    if not fault.what.startswith("effect"):
        return answer_instead(request, fault)
    await _admit(request, handler, label)
    return await answer_after(request, fault)


async def _facts(request: web.Request) -> Facts:
    """The facts of the request, for the conditions of faults."""
    pod = request.app[CLOUD].pods.get(request.match_info.get("id", ""))
    if pod is not None:
        return facts_of_pod(pod)
    try:
        return facts_of_body(await request.read())
    except web.HTTPException:
        return {}


def is_foreign(request: web.Request) -> bool:
    """Whether a web page sends the request, or another name leads here (DNS rebinding)."""
    host, _, _ = request.host.rpartition(":")
    return "Origin" in request.headers or host not in OWN_NAMES


def _controls(request: web.Request) -> bool:
    """Whether the request bears the simulator's own token."""
    sent = bearer_of(request)
    return secrets.compare_digest(sent.encode(), request.app[CONTROL_TOKEN].encode())


def route_of(request: web.Request) -> str:
    """`METHOD /path`, with `{id}` for ids."""
    resource = request.match_info.route.resource
    return f"{request.method} {request.path if resource is None else resource.canonical}"


async def _admit(request: web.Request, handler: Handler, label: str) -> web.StreamResponse:
    agent = request.headers.get("User-Agent", "")
    if not agent or agent.startswith("Python-urllib/"):
        return web.Response(text="error code: 1010", status=403)
    try:
        await _check(request, _token(request, label), label)
        return await handler(request)
    except Problem as problem:
        return problem_answer(problem)
    except web.HTTPException as error:
        return _unrouted(error)


def _token(request: web.Request, label: str) -> str:
    # The older API still takes the key in the address.
    in_address = request.query.get("api_key", "") if label == GRAPHQL else ""
    return bearer_of(request) or in_address


def bearer_of(request: web.Request) -> str:
    """The token of the Authorization header; empty if it is of no or of another scheme."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def _check(request: web.Request, token: str, label: str) -> None:
    await _read(request, BODY_LIMIT)
    request[CALLER] = _caller(request.app[CLOUD], token, label)
    if request[CALLER] not in (ACCOUNT, NOBODY) and not _may(label, request.match_info.get("id") == request[CALLER]):
        raise Problem(403, "access denied")
    full = request.app[LIMITS].take(token, now())
    if full is not None:
        window, wait_s = full
        raise Problem(429, f"rate limit exceeded for the {window} window", retry_after_s=wait_s)


async def _read(request: web.Request, most: int) -> None:
    """The body has been read, and has at most so many bytes. Raises Problem."""
    try:
        size = len(await request.read())
    except web.HTTPRequestEntityTooLarge:
        size = most + 1
    if size > most:
        raise Problem(413, f"request body must not exceed {most} bytes")


def _caller(cloud: Cloud, token: str, label: str) -> str:
    """Who asks. Raises Problem 401 for a wrong key, and for none where one is needed."""
    if token:
        return _owner(cloud, token)
    # The older API answers public queries without a key, and refuses the others field by field.
    if label in OPEN_ROUTES or label == GRAPHQL:
        return NOBODY
    raise Problem(401, "missing bearer token")


def _may(label: str, is_own: bool) -> bool:
    """Whether a pod's key opens this route; the older API decides by field."""
    return label == GRAPHQL or (is_own and label in POD_KEY_ROUTES)


def _owner(cloud: Cloud, token: str) -> str:
    if token == cloud.api_key:
        return ACCOUNT
    for pod in cloud.pods.values():
        if pod.key == token and pod.ended_at is None and "key-revoked" not in pod.faults:
            return pod.id
    raise Problem(401, "invalid bearer token")


def _unrouted(error: web.HTTPException) -> web.Response:
    if isinstance(error, web.HTTPMethodNotAllowed):
        answer = problem_answer(Problem(405, "The requested method is not allowed for this path."))
        answer.headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        return answer
    return problem_answer(Problem(404, "The requested path was not found."))
