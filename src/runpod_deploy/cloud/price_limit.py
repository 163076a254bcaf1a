"""The price limit, `budget.max_gpu_price`: for offers before a pod is requested, and for the pod that came. Pure.

The limit is USD per hour for one GPU. A limit that cannot be checked is not met.
"""

from __future__ import annotations

from ..money import cents

ROUNDING = 1e-6
"""A price may differ from the limit by this share, because both are decimal fractions."""


def objection(usd_per_gpu_hour: float | None, limit: float | None) -> str:
    """Why a GPU at this price is over the limit; empty if it is not, or if there is no limit."""
    if limit is None:
        return ""
    if usd_per_gpu_hour is None:
        return f"its price is unknown, so the limit of ${cents(limit)}/hr cannot be checked"
    over = usd_per_gpu_hour > limit * (1 + ROUNDING)
    return f"${cents(usd_per_gpu_hour)}/hr is over the limit of ${cents(limit)}/hr" if over else ""
