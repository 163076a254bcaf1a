"""/_sim/, the simulator's own API, for tests and other processes that have its token.

GET    /_sim/ledger                       the ledger so far
GET    /_sim/pods                         every pod ever made: as in the API, with faults and process id
POST   /_sim/pods/{id}/kill               {"as": "gone"} (default) or {"as": "exited"}: the host is lost
POST   /_sim/pods/{id}/kill-container     PID 1 is killed; the container is restarted as usual
POST   /_sim/pods/{id}/drop-ssh           cuts its SSH connections; answers {"dropped": n}
GET    /_sim/faults                       all faults, with how many requests or pods matched (seen) and were hit (fired)
POST   /_sim/faults                       adds one (an object) or several (a list)
DELETE /_sim/faults                       removes all
PUT    /_sim/stock                        {"count": n} and any of "gpu", "datacenter", "cloud"
PUT    /_sim/balance                      {"usd": x}: the credit that is left
PUT    /_sim/billing                      {"lag_s": n}: how long a cost takes to appear on a bill
PUT    /_sim/quota                        {"per_minute": n}: requests per minute and key

A body that makes no sense is answered with 422 and the field, and changes nothing.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..clock import now
from ..cloud.ledger import ledger
from ..faults.fault import BadFault, parse
from ..records.catalogue import Catalogue, StockRule
from ..records.pods import Pod
from ..records.problems import invalid
from ..records.schemas import Schema, strict
from ..records.validation import body_of
from ..records.view import pod_json
from .answers import CLOUD, LIMITS, answer, body
from .quotas import quotas

MOST_ROWS = 10_000
"""So many faults, or rules of stock, are kept: each request looks through them."""
COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 1_000_000_000}
MONEY: Schema = {"type": "number", "minimum": -1_000_000_000, "maximum": 1_000_000_000}
KILL = strict({"as": {"enum": ["gone", "exited"]}})
FAULTS: Schema = {"type": ["object", "array"], "maxItems": MOST_ROWS, "items": {"type": "object"}}
BALANCE = strict({"usd": MONEY}, "usd")
BILLING = strict({"lag_s": {"type": "number", "minimum": 0, "maximum": 1_000_000_000}}, "lag_s")
QUOTA = strict({"per_minute": COUNT}, "per_minute")


def routes() -> list[web.RouteDef]:
    """The routes of this module."""
    return [
        web.get("/_sim/ledger", show_ledger),
        web.get("/_sim/pods", show_pods),
        web.post("/_sim/pods/{id}/kill", kill),
        web.post("/_sim/pods/{id}/kill-container", kill_container),
        web.post("/_sim/pods/{id}/drop-ssh", drop_ssh),
        web.get("/_sim/faults", show_faults),
        web.post("/_sim/faults", add_faults),
        web.delete("/_sim/faults", clear_faults),
        web.put("/_sim/stock", set_stock),
        web.put("/_sim/balance", set_balance),
        web.put("/_sim/billing", set_billing),
        web.put("/_sim/quota", set_quota),
    ]


async def show_ledger(request: web.Request) -> web.Response:
    """The ledger."""
    return answer(ledger(request.app[CLOUD]))


async def show_pods(request: web.Request) -> web.Response:
    """Every pod ever made."""
    return answer({"pods": [_inside(request, pod) for pod in request.app[CLOUD].pods.values()]})


async def kill(request: web.Request) -> web.Response:
    """The pod's host is lost."""
    raw = await request.read()
    end_state = body_of(raw, KILL).get("as", "gone") if raw else "gone"
    request.app[CLOUD].lose(_pod(request), end_state)
    return answer({"as": end_state})


async def kill_container(request: web.Request) -> web.Response:
    """PID 1 and every process of the container are killed."""
    container = request.app[CLOUD].supervisors[_pod(request).id].container
    if container is None:
        raise _refusal("the pod has no container now")
    container.signal(9)
    return answer({"killed": container.pid})


async def drop_ssh(request: web.Request) -> web.Response:
    """No SSH connection of the pod is left; new ones are answered."""
    return answer({"dropped": request.app[CLOUD].supervisors[_pod(request).id].sshd.drop()})


async def show_faults(request: web.Request) -> web.Response:
    """All faults."""
    return answer({"faults": [fault.as_json() for fault in request.app[CLOUD].faults.rows]})


async def add_faults(request: web.Request) -> web.Response:
    """The new faults are in force."""
    given = await body(request, FAULTS)
    try:
        rows = [parse(row) for row in (given if isinstance(given, list) else [given])]
    except BadFault as error:
        raise invalid(str(error)) from error
    _make_room(len(request.app[CLOUD].faults.rows) + len(rows))
    request.app[CLOUD].faults.rows.extend(rows)
    return answer({"faults": [row.as_json() for row in rows]}, 201)


async def clear_faults(request: web.Request) -> web.Response:
    """No fault applies to later requests and pods."""
    request.app[CLOUD].faults.rows.clear()
    return answer({"faults": []})


async def set_stock(request: web.Request) -> web.Response:
    """The stock is this count, used units included; later rules win."""
    catalogue = request.app[CLOUD].catalogue
    given = await body(request, _stock(catalogue))
    _make_room(len(catalogue.rules) + 1)
    catalogue.rules.append(StockRule(**given))
    return answer(given)


async def set_balance(request: web.Request) -> web.Response:
    """The account has this much credit left."""
    cloud, usd = request.app[CLOUD], float((await body(request, BALANCE))["usd"])
    cloud.balance_usd = usd + cloud.billed_usd()
    return answer({"usd": usd})


async def set_billing(request: web.Request) -> web.Response:
    """Costs take this many seconds to appear on bills."""
    lag_s = float((await body(request, BILLING))["lag_s"])
    request.app[CLOUD].billing_lag_s = lag_s
    return answer({"lag_s": lag_s})


async def set_quota(request: web.Request) -> web.Response:
    """Each key has this many requests per minute."""
    per_minute = int((await body(request, QUOTA))["per_minute"])
    request.app[LIMITS].quotas = quotas(per_minute)
    return answer({"per_minute": per_minute})


def _stock(catalogue: Catalogue) -> Schema:
    """The shape of a rule of stock: a name that the catalogue lacks would be a rule without effect."""
    names = {
        "gpu": [*catalogue.gpus, *catalogue.cpus],
        "datacenter": list(catalogue.datacenters),
        "cloud": ["SECURE", "COMMUNITY"],
    }
    return strict({"count": COUNT} | {field: {"enum": [*known, None]} for field, known in names.items()}, "count")


def _make_room(count: int) -> None:
    """So many rows may be kept. Raises Problem."""
    if count > MOST_ROWS:
        raise invalid(f"$: at most {MOST_ROWS} are kept, not {count}")


def _pod(request: web.Request) -> Pod:
    pod = request.app[CLOUD].pods.get(request.match_info["id"])
    if pod is None:
        raise web.HTTPNotFound(text="no such pod\n")
    return pod


def _inside(request: web.Request, pod: Pod) -> dict[str, Any]:
    container = request.app[CLOUD].supervisors[pod.id].container
    return pod_json(pod) | {
        "faults": pod.faults,
        "pid": None if container is None else container.pid,
        "how": pod.how,
        "billed_usd": pod.meter.usd(now()),
    }


def _refusal(text: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=text + "\n")
