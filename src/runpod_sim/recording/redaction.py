"""Replaces what identifies an account: keys, ids, addresses, public keys, values of variables. Pure.

The same id or address gets the same replacement everywhere, so that a recording still tells which pod is meant.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .tape import Exchange

HIDDEN = "REDACTED"
# Ids of an account's own things. Those of GPUs, datacenters and public templates look different, and stay.
ID = re.compile(r"[a-z0-9]{8,40}|user_\w+")
ID_FIELDS = re.compile(r"(id|.*Ids?|registry)")
CURSOR = "nextCursor"
"""A cursor is made of an id."""
SECRET_FIELDS = ("value", "password", "username", "email", "pubKey", "line", "internalDns")
KEY = re.compile(r"rpa_\w+")
SSH_KEY = re.compile(r"((?:ssh|ecdsa|sk)-[\w@.-]+) [A-Za-z0-9+/=]{16,}[^\"\n]*")
SSH_USER = re.compile(r"(id0[0-9a-z]+)-[0-9a-f]{6,}")
EMAIL = re.compile(r"[\w.+-]+@(?!ssh\.runpod\.io)[\w-]+\.[\w.-]+")
IPV4 = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
IN_PATH = re.compile(r"/v2/(?:pods|network-volumes|templates|registries|account/secrets)/([^/?]+)")
OPERATION = re.compile(r"\"([a-z0-9]{10,40})\"")
CARRIER_NET = ipaddress.ip_network("100.64.0.0/10")


@dataclass(slots=True)
class Redaction:
    """What was replaced so far, by what."""

    ids: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def of_all(self, exchanges: list[Exchange]) -> list[Exchange]:
        """The exchanges without what identifies the account."""
        for exchange in exchanges:
            for found in self._ids_in(exchange):
                self.ids.setdefault(found, f"id{len(self.ids) + 1:0{max(3, len(found) - 2)}}")
        return [self._of(exchange) for exchange in exchanges]

    def _of(self, exchange: Exchange) -> Exchange:
        return Exchange(
            method=exchange.method,
            path=self._text(exchange.path),
            sent=self._value(exchange.sent),
            status=exchange.status,
            headers=exchange.headers,
            body=self._value(exchange.body),
        )

    def _ids_in(self, exchange: Exchange) -> Iterator[str]:
        yield from (name for name in IN_PATH.findall(exchange.path) if ID.fullmatch(name))
        for value in (exchange.sent, exchange.body):
            yield from _ids_of(value)
        if exchange.path.startswith("/graphql") and isinstance(exchange.sent, dict):
            yield from (name for name in OPERATION.findall(str(exchange.sent.get("query"))) if not name.isalpha())

    def _value(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: _hidden(inner, key) or self._value(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [_without_value(row) if _is_variable(name, row) else self._value(row, name) for row in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        for own, other in self.ids.items():
            text = text.replace(own, other)
        text = SSH_USER.sub(rf"\1-{HIDDEN}", KEY.sub(f"rpa_{HIDDEN}", SSH_KEY.sub(rf"\1 {HIDDEN}", text)))
        return IPV4.sub(lambda found: self._address(found[0]), EMAIL.sub("somebody@example.com", text))

    def _address(self, own: str) -> str:
        """Another address of the same kind: public, of the carrier's network, or of this machine."""
        try:
            address = ipaddress.ip_address(own)
        except ValueError:
            return own
        net = "100.64.0" if address in CARRIER_NET else "127.0.0" if address.is_loopback else "192.0.2"
        return self.addresses.setdefault(own, f"{net}.{len(self.addresses) % 254 + 1}")


def _ids_of(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _ids_of(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids_of(inner, name)
    elif isinstance(value, str) and (name == CURSOR or (ID_FIELDS.fullmatch(name) and ID.fullmatch(value))):
        yield value


def _hidden(value: Any, name: str) -> Any:
    """The replacement of a field that may hold a secret; None for other fields."""
    if name == "env" and isinstance(value, dict):
        return dict.fromkeys(value, HIDDEN)
    return HIDDEN if name in SECRET_FIELDS and isinstance(value, str) and value else None


def _without_value(variable: str) -> str:
    return f"{variable.partition('=')[0]}={HIDDEN}"


def _is_variable(name: str, row: Any) -> bool:
    return name == "env" and isinstance(row, str)
