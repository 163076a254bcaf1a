"""The account's balance: the one fact that API v2 does not offer and GraphQL does (until early 2027)."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import AuthRefused, CloudUnreachable
from .calls import Answer, Call
from .fields import number_in, part_in, parts_in

QUERY = "query { myself { clientBalance currentSpendPerHr spendLimit } }"
BALANCE_CALL = Call(method="POST", path="/graphql", what="read the account's balance", body={"query": QUERY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The account's money, in USD."""

    balance_usd: float
    spend_usd_per_hour: float
    """The sum over everything that runs now, in USD per hour."""
    spend_limit_usd_per_hour: float | None


def as_balance(answer: Answer) -> Balance:
    """The balance in a GraphQL answer. Raises AuthRefused if it is withheld, CloudUnreachable if it makes no sense."""
    document = answer.document or {}
    me = part_in(part_in(document, "data"), "myself")
    if not me:
        reasons = "; ".join(str(error.get("message")) for error in parts_in(document, "errors"))
        raise AuthRefused(
            f"cannot read the account's balance: {reasons or 'no answer'}",
            hint="only a key with read rights on GraphQL may read the balance; runs work without it",
        )
    balance, spend = number_in(me.get("clientBalance")), number_in(me.get("currentSpendPerHr"))
    if balance is None or spend is None:
        raise CloudUnreachable("the answer about the account's balance makes no sense", hint="try again later")
    limit = number_in(me.get("spendLimit"))
    return Balance(balance_usd=balance, spend_usd_per_hour=spend, spend_limit_usd_per_hour=limit)
