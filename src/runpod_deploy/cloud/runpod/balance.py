"""The account's balance: the one fact that API v2 does not offer and GraphQL does (until early 2027)."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import AuthRefused, CloudUnreachable
from .calls import Answer, Call

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
    me = (document.get("data") or {}).get("myself")
    if me is None:
        reasons = "; ".join(str(error.get("message")) for error in document.get("errors") or [])
        raise AuthRefused(
            f"cannot read the account's balance: {reasons or 'no answer'}",
            hint="only a key with read rights on GraphQL may read the balance; runs work without it",
        )
    try:
        limit = me.get("spendLimit")
        return Balance(
            balance_usd=float(me["clientBalance"]),
            spend_usd_per_hour=float(me["currentSpendPerHr"]),
            spend_limit_usd_per_hour=None if limit is None else float(limit),
        )
    except (KeyError, TypeError, ValueError) as defect:
        raise CloudUnreachable(
            "the answer about the account's balance makes no sense", hint="try again later"
        ) from defect
