"""What the account holds: the one thing that API v2 does not tell and GraphQL does (until early 2027)."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import AuthRefused, CloudUnreachable
from .calls import Answer, Call

QUERY = "query { myself { clientBalance currentSpendPerHr spendLimit } }"
BALANCE_CALL = Call(method="POST", path="/graphql", what="read the account's balance", body={"query": QUERY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """An account's money."""

    balance_usd: float
    spend_usd_per_hour: float
    """Of everything that runs now."""
    spend_limit_usd_per_hour: float | None


def as_balance(answer: Answer) -> Balance:
    """The balance in a GraphQL answer. Raises AuthRefused if it is withheld, CloudUnreachable if it is none."""
    document = answer.document or {}
    me = (document.get("data") or {}).get("myself")
    if me is None:
        reasons = "; ".join(str(error.get("message")) for error in document.get("errors") or [])
        raise AuthRefused(
            f"cannot read the account's balance: {reasons or 'no answer'}",
            hint="a key with read rights on GraphQL is needed for this; runs do without",
        )
    try:
        limit = me.get("spendLimit")
        return Balance(
            balance_usd=float(me["clientBalance"]),
            spend_usd_per_hour=float(me["currentSpendPerHr"]),
            spend_limit_usd_per_hour=None if limit is None else float(limit),
        )
    except (KeyError, TypeError, ValueError) as defect:
        raise CloudUnreachable("the account's balance is no number", hint="try again later") from defect
