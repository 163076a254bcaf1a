"""Every status and every network failure becomes an error of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import exceptions as failures

from runpod_deploy.cloud.runpod.calls import Answer
from runpod_deploy.cloud.runpod.refusals import (
    CAPACITY_400_TEXTS,
    CAPACITY_TEXTS,
    is_capacity,
    message_of,
    network_error,
    plain_text,
    refusal,
)
from runpod_deploy.errors import (
    FAILURE_KINDS,
    AuthRefused,
    BalanceSpent,
    CloudUnreachable,
    ConfigError,
    EdgeRefused,
    StockOut,
)

OURS = (AuthRefused, BalanceSpent, CloudUnreachable, ConfigError, StockOut)
BODIES = (
    b"",
    b"error code: 1010",
    b"<html><body>502</body></html>",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b"{}",
    b'{"detail": "no"}',
    b'{"detail": null, "errors": "one"}',
    b'{"error": "v1"}',
)


def answer(status: int, body: bytes) -> Answer:
    return Answer(status=status, headers={}, body=body)


@pytest.mark.parametrize("body", BODIES)
def test_every_status_means_an_error_with_a_hint(body: bytes) -> None:
    for status in range(100, 1000):
        error = refusal(answer(status, body), "do it")
        assert isinstance(error, OURS), status
        assert error.kind in FAILURE_KINDS and error.kind != "internal"
        assert error.hint and error.message.startswith(f"cannot do it: {status}: ")
        assert "\n" not in error.message


@given(status=st.integers(100, 999), body=st.binary(max_size=300))
def test_no_body_breaks_the_map(status: int, body: bytes) -> None:
    assert isinstance(refusal(answer(status, body), "do it"), OURS)


def all_failures(parent: type[failures.HTTPError] = failures.HTTPError) -> Iterator[type[failures.HTTPError]]:
    for child in parent.__subclasses__():
        yield child
        yield from all_failures(child)


@pytest.mark.parametrize("kind", sorted(set(all_failures()), key=str))
def test_every_failure_of_the_network_means_an_error_with_a_hint(kind: type[failures.HTTPError]) -> None:
    # Made without its constructor: each wants other arguments, none of which the map may depend on.
    error = network_error(kind.__new__(kind), "do it")
    assert type(error) is CloudUnreachable
    assert error.message.startswith("cannot do it: ") and error.hint


@pytest.mark.parametrize("text", CAPACITY_TEXTS + CAPACITY_400_TEXTS)
def test_a_capacity_error_is_recognized_in_any_letter_case(text: str) -> None:
    assert is_capacity(f"Sorry. {text.upper()}!")
    assert not is_capacity("Network volume is in data center CA-MTL-3")


@given(st.binary(max_size=6000))
def test_a_page_becomes_one_short_line(page: bytes) -> None:
    text = plain_text(page)
    assert len(text) <= 120 and text.isprintable()


def test_no_such_thing_is_understood_in_any_form() -> None:
    assert answer(404, b'{"title": "Not Found", "status": 404, "detail": "pod not found"}').not_found
    assert answer(410, b'{"title": "Gone", "status": 410, "detail": "pod was deleted"}').not_found
    assert answer(404, b'{"message": "pod not found"}').not_found
    assert answer(404, b'{"errors": [{"message": "pod not found"}]}').not_found
    assert answer(404, b'{"error": {"code": "not_found", "message": "pod not found"}}').not_found
    assert answer(404, b"{}").not_found and answer(404, b"").not_found


def test_a_page_of_a_proxy_or_an_unknown_path_says_nothing_about_a_pod() -> None:
    assert not answer(404, b" <html>404</html>").not_found
    assert not answer(404, b'{"detail": "The requested path was not found."}').not_found


CLOUDFLARE = (
    b'{"type": "https://developers.cloudflare.com/1010/", "title": "Error 1010: Access denied", "status": 403, '
    b'"detail": "The owner has banned your access.", "error_code": 1010, "cloudflare_error": true, "retryable": false}'
)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [b"error code: 1010", b"<html>Access denied</html>", b"", CLOUDFLARE])
def test_a_gateway_s_refusal_says_nothing_about_the_key(status: int, body: bytes) -> None:
    error = refusal(answer(status, body), "do it")
    assert type(error) is EdgeRefused and error.kind == "cloud" and error.transient
    assert "says nothing about your key" in error.hint


@pytest.mark.parametrize("status", [401, 403])
def test_the_api_s_own_refusal_is_about_the_key(status: int) -> None:
    assert type(refusal(answer(status, b'{"title": "No", "status": 401, "detail": "no"}'), "do it")) is AuthRefused


def test_a_gateway_cannot_say_that_a_pod_does_not_exist() -> None:
    assert not answer(404, CLOUDFLARE).not_found


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_words_about_capacity_or_balance_count_under_any_status(status: int) -> None:
    no_stock = b'{"error": "create pod: There are no instances currently available", "status": 500}'
    assert type(refusal(answer(status, no_stock), "do it")) is StockOut
    no_money = b'{"detail": "Your account balance is too low to rent a pod. Please add funds to your account."}'
    assert type(refusal(answer(status, no_money), "do it")) is BalanceSpent
    assert type(refusal(answer(500, no_stock), "list the pods")) is CloudUnreachable


def test_an_explanation_without_end_is_cut() -> None:
    body = json.dumps({"detail": "é" * 1_000_000, "errors": ["x" * 1_000_000] * 50}).encode()
    assert len(message_of(Answer(status=400, headers={}, body=body), "create a pod")) < 20_000
