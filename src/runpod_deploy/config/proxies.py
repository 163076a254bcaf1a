"""The HTTP proxy between this machine and an address, by HTTPS_PROXY and NO_PROXY. Knows notation; sends nothing.

As curl reads them: the names in lower case win, and ALL_PROXY is for what has none of its own. Only loopback is reached
without a proxy in every case.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import unquote, urlsplit

from ..errors import ConfigError

HINT = "HTTPS_PROXY is an address such as http://proxy.example:3128; NO_PROXY names hosts that need none"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. Its login is not shown when this object is printed."""

    address: str
    login: str = field(default="", repr=False)
    """`user:password`; empty if it needs none."""


def proxy_for(url: str, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """The proxy for a URL; None if it is reached without one. Raises ConfigError if that cannot be used."""
    env = os.environ if environ is None else environ
    try:
        target = urlsplit(url)
        host, port = target.hostname or "", target.port
    except ValueError:  # no address at all: whoever uses it will say so
        return None
    value = setting(env, f"{target.scheme}_proxy") or setting(env, "all_proxy")
    if not value or is_loopback(host) or is_excepted(host, port, setting(env, "no_proxy")):
        return None
    return parsed(value)


def setting(env: Mapping[str, str], name: str) -> str:
    """The value of a variable, whose name may be in lower or upper case."""
    return (env.get(name) or env.get(name.upper()) or "").strip()


def parsed(value: str) -> Proxy:
    """The proxy that a variable names. Raises ConfigError; the message shows no login."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError("the proxy in HTTPS_PROXY is not an address", hint=HINT) from None
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(f"a proxy of the kind {parts.scheme!r} cannot be used", hint=HINT)
    shown = f"[{host}]" if ":" in host else host
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return Proxy(f"{parts.scheme}://{shown}:{port or (443 if parts.scheme == 'https' else 80)}", login)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    address = as_address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def is_excepted(host: str, port: int | None, exceptions: str) -> bool:
    """Whether NO_PROXY names the host: itself, a domain that it is in, or a network that holds its address."""
    return any(excepts(rule.strip().lower(), host.lower(), port) for rule in exceptions.split(",") if rule.strip())


def excepts(rule: str, host: str, port: int | None) -> bool:
    """Whether one part of NO_PROXY covers a host."""
    address = as_address(host)
    if rule == "*":
        return True
    if address is not None and "/" in rule:
        try:
            return address in ip_network(rule, strict=False)
        except ValueError:
            return False
    name, colon, wanted = rule.rpartition(":")
    if colon and wanted.isdigit() and ":" not in name:
        rule = name if port is not None and int(wanted) == port else ""
    domain = rule.removeprefix("*").strip(".[]")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def as_address(host: str) -> IPv4Address | IPv6Address | None:
    """The host as an IP address; None if it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None
