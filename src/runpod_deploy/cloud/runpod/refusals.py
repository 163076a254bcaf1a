"""The one place where bad answers and network failures become errors of ours.

Knows the API's error texts (seen between August and November 2026); does not decide about retries.
"""

from __future__ import annotations

import re

from urllib3 import exceptions as failures

from ...errors import (
    AuthRefused,
    BalanceSpent,
    CloudUnreachable,
    ConfigError,
    DeployError,
    EdgeRefused,
    StockOut,
)
from .calls import Answer
from .exchange import Oversized

CAPACITY_TEXTS = (
    "no longer any instances available",
    "no instances currently available",
    "resources to deploy your pod",
    "not enough free gpus",
    "insufficient capacity",
    "no available machine",
    "out of stock",
)
"""Parts of the error texts that mean "no capacity", under whatever status: no status tells it from a bad request."""
CAPACITY_400_TEXTS = ("request could not be processed",)
"""These mean it with status 400 only."""
BALANCE_TEXTS = ("balance is too low", "insufficient balance", "insufficient funds", "add funds to your account")
"""Parts of the error texts that mean that the account cannot pay."""

NEVER_SENT = (failures.NewConnectionError, failures.ConnectTimeoutError, failures.ProxyError)
"""Failures before the first byte of the request was sent: any method may be sent again."""

KEY_HINT = "make a key with read and write rights at https://console.runpod.io/user/settings, set RUNPOD_API_KEY"
FUNDS_HINT = "add funds at https://console.runpod.io/user/billing"
OUTAGE_HINT = "nothing is wrong with the request: try again later; https://uptime.runpod.io shows outages"
CERTIFICATE_HINT = (
    "no authority that this machine trusts has signed the certificate: if your network has one of its own, set "
    "SSL_CERT_FILE to a file with its certificate; if it has none, somebody may be between you and RunPod"
)
PROXY_HINT = "check HTTPS_PROXY; NO_PROXY=api.runpod.io reaches RunPod without a proxy"
ADDRESS_HINT = "check RUNPOD_API_BASE_URL and the proxy between here and RunPod"
EDGE_HINT = (
    "a gateway before the API refused the request, so this says nothing about your key: try again in a minute; "
    f"if it goes on, {ADDRESS_HINT}"
)
STOCK_HINT = "try other GPUs or datacenters, or wait for stock"


def refusal(answer: Answer, what: str) -> DeployError:
    """The error that this answer means. Every status has one."""
    if answer.status < 500 and (named := named_by_text(answer, what)) is not None:
        return named
    match answer.status:
        case 401 | 403 if answer.from_edge:
            return EdgeRefused(message_of(answer, what), hint=EDGE_HINT)
        case 401:
            return AuthRefused(message_of(answer, what), hint=KEY_HINT)
        case 402:
            return BalanceSpent(message_of(answer, what), hint=FUNDS_HINT)
        case 403 if "pool" in answer.detail.lower():
            return StockOut(message_of(answer, what), hint="the account may not use this kind of GPU: try others")
        case 403:
            return AuthRefused(message_of(answer, what), hint=KEY_HINT)
        case 400 | 404 | 409 | 413 | 422 if answer.document is not None:
            return ConfigError(message_of(answer, what), hint="the API will answer the same again: change the request")
        case 429:
            return CloudUnreachable(message_of(answer, what), hint=limit_hint(answer))
        case 408 | 425 | 500 | 502 | 503 | 504:
            return CloudUnreachable(message_of(answer, what), hint=OUTAGE_HINT)
        case status if status > 504:
            return CloudUnreachable(message_of(answer, what), hint=OUTAGE_HINT)
        case _:
            return CloudUnreachable(message_of(answer, what), hint=f"this is not how the API answers: {ADDRESS_HINT}")


def named_by_text(answer: Answer, what: str) -> StockOut | BalanceSpent | None:
    """The error that the answer's own words name, under whatever status; None if they name none.

    Creates were seen to be refused for lack of capacity with status 500 (2026-11).
    """
    if answer.status < 400 or answer.status == 429 or answer.from_edge:
        return None
    said = "; ".join([answer.detail or plain_text(answer.body), *answer.problems])
    if is_capacity(said, answer.status):
        return StockOut(message_of(answer, what), hint=STOCK_HINT)
    return BalanceSpent(message_of(answer, what), hint=FUNDS_HINT) if is_balance(said) else None


def network_error(failure: failures.HTTPError, what: str) -> CloudUnreachable:
    """The error that this failure of the connection means."""
    return CloudUnreachable(f"cannot {what}: {describe(failure)}", hint=network_hint(failure))


def network_hint(failure: failures.HTTPError) -> str:
    """What to do about this failure of the connection."""
    match failure:
        case failures.ProxyError():
            return PROXY_HINT
        case failures.SSLError() if "CERTIFICATE_VERIFY_FAILED" in str(failure):
            return CERTIFICATE_HINT
        case _:
            return f"{ADDRESS_HINT}, and the network itself"


def is_capacity(detail: str, status: int = 400) -> bool:
    """Whether the API's error text says that no machine is free."""
    lowered = detail.lower()
    texts = (*CAPACITY_TEXTS, *CAPACITY_400_TEXTS) if status == 400 else CAPACITY_TEXTS
    return any(text in lowered for text in texts)


def is_balance(detail: str) -> bool:
    """Whether the API's error text says that the account cannot pay."""
    lowered = detail.lower()
    return any(text in lowered for text in BALANCE_TEXTS)


def message_of(answer: Answer, what: str) -> str:
    """One line with what could not be done, the status, and the explanation in the answer."""
    texts = [answer.detail or plain_text(answer.body), *answer.problems]
    return f"cannot {what}: {answer.status}: {'; '.join(filter(None, texts)) or 'no explanation'}"


def plain_text(body: bytes) -> str:
    """The first 120 characters of an error page that is not JSON, without markup."""
    text = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", body[:4000].decode(errors="replace"), flags=re.S | re.I)
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:120]


def limit_hint(answer: Answer) -> str:
    """The hint for a used-up rate limit."""
    after = "" if answer.retry_after_s is None else f" in {answer.retry_after_s:.0f} s"
    return f"the account's request limit is used up: try again{after}, with fewer programs asking at once"


def is_final(failure: failures.HTTPError) -> bool:
    """Whether the same request would always fail in this way: a wrong address, an untrusted certificate."""
    return isinstance(failure, failures.LocationValueError) or "CERTIFICATE_VERIFY_FAILED" in str(failure)


def describe(failure: failures.HTTPError) -> str:
    """The network failure in plain words, without Python's own details."""
    match failure:
        case failures.NameResolutionError():
            return "the API's host name cannot be resolved"
        case failures.ProxyError():
            why = str(getattr(failure, "original_error", "no connection"))[:200]
            return f"the proxy that HTTPS_PROXY names cannot be used: {why}"
        case failures.SSLError():
            return f"the secure connection was refused: {failure}"
        case failures.NewConnectionError():  # a subclass of urllib3's timeout, but not one for people
            return "no connection"
        case failures.TimeoutError():
            return "no answer in time"
        case failures.LocationValueError():
            return "the API's address is not one"
        case Oversized():
            return str(failure)
        case _:
            return f"the connection broke: {type(failure).__name__}"
