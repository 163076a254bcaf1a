"""The reference of exit codes and kinds of failure. Knows the table in errors; troubleshooting.md explains it."""

from __future__ import annotations

from collections import defaultdict

from runpod_deploy.errors import FAILURE_KINDS

INTRODUCTION = """\
# Exit codes

Every command ends with one of these codes. The manifest of a run holds them in `failure.kind`, `failure.transient` and
`exit_code`. *Transient* means that the same command may succeed later without any change; a script may try it again, a
limited number of times. [Troubleshooting](../troubleshooting.md) explains each kind.

| code | meaning | kinds | transient |
|---|---|---|---|
| 0 | succeeded | | |
"""
MEANINGS = {
    1: "a defect of the tool",
    2: "the command or the config is wrong; nothing was started",
    3: "no GPU within the limits",
    4: "the key is missing or refused, or the balance is used up",
    5: "the API is unreachable, or its answer could not be understood",
    6: "the pod never became reachable, or the connection to it was lost",
    7: "a transfer failed",
    8: "another process holds this run",
    9: "**a pod may still be billing**",
    20: "the job failed",
    21: "stopped by a limit",
    22: "the pod was killed from outside",
    130: "interrupted",
}


def page() -> str:
    """The page: one row for each exit code."""
    kinds: dict[int, list[str]] = defaultdict(list)
    transient: dict[int, bool] = {}
    for name, kind in FAILURE_KINDS.items():
        kinds[kind.exit_code].append(f"[{name}](../troubleshooting.md#{name})")
        transient[kind.exit_code] = kind.transient
    rows = [
        f"| {code} | {MEANINGS[code]} | {', '.join(kinds[code])} | {'yes' if transient[code] else 'no'} |"
        for code in sorted(kinds)
    ]
    return INTRODUCTION + "\n".join(rows) + "\n"
