"""The balance, from answers that make sense and from others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runpod_deploy.cloud.runpod.balance import Balance, as_balance
from runpod_deploy.cloud.runpod.calls import Answer
from runpod_deploy.errors import AuthRefused, CloudUnreachable

ME = {"clientBalance": 12.5, "currentSpendPerHr": "0.4", "spendLimit": None}


def answer(document: Any) -> Answer:
    return Answer(status=200, headers={}, body=json.dumps(document).encode())


def test_a_balance_is_read() -> None:
    balance = as_balance(answer({"data": {"myself": ME}}))
    assert balance == Balance(balance_usd=12.5, spend_usd_per_hour=0.4, spend_limit_usd_per_hour=None)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": "x", "errors": ["x"]},
        {"data": {"myself": None}, "errors": {"message": "x"}},
        {"data": {"myself": 1}, "errors": [{"message": "access denied"}, None]},
    ],
)
def test_a_balance_that_is_withheld_says_so(document: Any) -> None:
    with pytest.raises(AuthRefused, match="cannot read"):
        as_balance(answer(document))


@pytest.mark.parametrize("amount", [None, "much", [], True, 1e300, float("inf")])
def test_a_balance_that_is_no_amount_makes_no_sense(amount: Any) -> None:
    with pytest.raises(CloudUnreachable, match="makes no sense"):
        as_balance(answer({"data": {"myself": ME | {"clientBalance": amount}}}))
