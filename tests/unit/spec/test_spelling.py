"""Guesses at what a mistyped name means."""

from __future__ import annotations

from runpod_deploy.spec.spelling import closest


def test_the_closest_name_ignores_case() -> None:
    assert closest("nvidia l40s", ["NVIDIA L4", "NVIDIA L40S"]) == "NVIDIA L40S"
    assert closest("zzz", ["seed"]) == ""
