"""The rules for a pod's container that no schema states. Knows limits; knows no HTTP and no catalogue.

Where the live service's limit is not known, the limit here is a choice, and docs/simulator.md lists it.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from .problems import NO_DISK_SPACE, bad, invalid

ENV_LIMIT = 50
ENV_NAME = re.compile(r"[^=\0]+")
PORT = re.compile(r"([0-9]{1,5})/(http|tcp)")
# A port above this is asked for to get a public port of the same number; how far they reach is a choice.
SYMMETRIC_PORTS = range(70_000, 80_000)
NAME_CHARS = 255
HOST_DISK_GB = 10_000
"""The largest disk of any host, for container and volume together; a choice."""

Spec = dict[str, Any]


def check_container(spec: Spec) -> None:
    """Raises Problem unless name, image, env, ports, sizes and start arguments make sense."""
    if len(spec["name"]) > NAME_CHARS:
        raise bad(f"name must have at most {NAME_CHARS} characters")
    if not spec.get("image", "").strip():
        raise bad("image is required")
    _check_env(spec["env"])
    _check_ports(spec["ports"])
    _check_start(spec)
    if spec["disk"] + spec["mounts"].get("persistent", {}).get("size", 0) > HOST_DISK_GB:
        raise bad(NO_DISK_SPACE)


def start_of_args(args: str) -> tuple[list[str] | None, list[str] | None]:
    """Entrypoint and command that the older field stands for; None: the image's own."""
    if not args.strip():
        return None, None
    given = _json_of(args)
    if given is not None:
        return given.get("entrypoint"), given.get("cmd")
    try:
        return None, shlex.split(args)
    except ValueError:
        return None, args.split()


def check_paths(mounts: dict[str, Any]) -> None:
    """Raises Problem unless every mount path is absolute, and not the root of the container."""
    for mount in [mounts.get("persistent"), *mounts.get("network", [])]:
        if mount is not None and (not mount["path"].startswith("/") or not mount["path"].strip("/.")):
            raise bad(f"mount path {mount['path']!r} must be absolute and must not be /")


def _check_env(env: dict[str, str]) -> None:
    if len(env) > ENV_LIMIT:
        raise bad(f"a pod may have at most {ENV_LIMIT} environment variables")
    for name, value in env.items():
        if not ENV_NAME.fullmatch(name) or "\0" in value:
            raise bad(f"environment variable {name!r} has a name or a value that no process can have")


def _check_ports(ports: list[str]) -> None:
    for index, text in enumerate(ports):
        found = PORT.fullmatch(text)
        if not found or not (1 <= int(found[1]) <= 65_535 or int(found[1]) in SYMMETRIC_PORTS):
            raise invalid(f"$.ports[{index}]: {text!r} must be formatted as port/protocol, for example 22/tcp")
        if text in ports[:index]:
            raise bad(f"port {text} is given twice")


def _check_start(spec: Spec) -> None:
    words = [spec["args"], *spec.get("entrypoint", []), *spec.get("cmd", [])]
    if any("\0" in word for word in words):
        raise bad("the start command must not contain a NUL character")
    entrypoint, cmd = start_of_args(spec["args"])
    if not all(_are_texts(part) for part in (entrypoint, cmd) if part is not None):
        raise bad("args that are JSON must have lists of strings in entrypoint and cmd")
    if spec["args"] and (spec.get("entrypoint", entrypoint), spec.get("cmd", cmd)) != (entrypoint, cmd):
        raise bad("args may accompany entrypoint and cmd only when equivalent")


def _are_texts(part: Any) -> bool:
    return isinstance(part, list) and all(isinstance(word, str) for word in part)


def _json_of(args: str) -> dict[str, Any] | None:
    """The arguments as a JSON object, if they are one."""
    try:
        given = json.loads(args)
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) else None
