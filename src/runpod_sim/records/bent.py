"""A pod as a fault makes the API show it: another price or delivery, odd fields, no way in. Pure: JSON in, JSON out."""

from __future__ import annotations

from typing import Any

from .pods import Pod

MOST_USD = 1_000_000
"""A price above it is only shown: no bill could be read after it."""
PRIVATE_IP, PRIVATE_PORT = "100.65.14.155", 60022
"""A carrier-grade address, which nobody outside of the datacenter can reach."""


def bent(body: dict[str, Any], pod: Pod) -> dict[str, Any]:
    """The pod's JSON, changed by the faults that it has."""
    if "other-price" in pod.faults and body["cost"]:
        body["cost"] = pod.faults["other-price"]["usd_per_hour"]
    delivery = pod.faults.get("other-delivery", {})
    if delivery and (pod.was_resumed or not delivery["after_start"]):
        _deliver(body, delivery)
    if "no-ssh-port" in pod.faults:
        _close(body)
    for path, value in pod.faults.get("odd-fields", {}).get("fields", {}).items():
        _put(body, path.split("."), value)
    return body


def billed_price(pod: Pod) -> float:
    """The price that is billed: that of the fault other-price if it is a price."""
    told = pod.faults.get("other-price", {}).get("usd_per_hour")
    return float(told) if isinstance(told, int | float) and 0 < told < MOST_USD else pod.usd_per_hour


def _deliver(body: dict[str, Any], delivery: dict[str, Any]) -> None:
    if "gpu" in body:
        given = {"id": delivery["gpu_id"], "count": delivery["gpus"]}
        body["gpu"] = body["gpu"] | {key: value for key, value in given.items() if value is not None}
    for key, name in (("dataCenterId", "datacenter_id"), ("cloud", "cloud_type")):
        body[key] = body[key] if delivery[name] is None else delivery[name]


def _close(body: dict[str, Any]) -> None:
    body["ssh"] = body["ssh"] | {"direct": None}
    for port in (body["runtime"] or {}).get("ports", []):
        if port["private"] == 22:
            port |= {"ip": PRIVATE_IP, "public": PRIVATE_PORT}


def _put(body: Any, path: list[str], value: Any) -> None:
    """The value is at the path, if the objects on the way to it are there."""
    *way, last = path
    for key in way:
        body = body.get(key) if isinstance(body, dict) else None
    if isinstance(body, dict):
        body[last] = value
