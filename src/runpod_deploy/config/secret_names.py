"""Values that look like secrets in places where they would be recorded and shown. Knows names; reads no file.

RunPod shows the environment of a pod in plain text, and the values of `--var` are in the records of every run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ..spec import RunpodJobSpec
from .document import Document
from .finding import Finding

SECRET = re.compile(r".*(_TOKEN|_KEY|_SECRET)|.*(PASSWORD|PASSWD|PASSPHRASE).*", re.IGNORECASE)
PUBLIC = re.compile(r"(.*_)?PUBLIC_KEY", re.IGNORECASE)
SHORTEST_CHARS = 8
"""A shorter token or key is none: `pad_token=[PAD]`, `sort_key=loss`."""


def of_job(job: RunpodJobSpec, cli_variables: Mapping[str, str], document: Document) -> Iterator[Finding]:
    """Mistakes about secrets in `pod.env` and on the command line."""
    for name, value in job.pod.env.items():
        if looks_secret(name, value):
            message = f"{name} looks like a secret, and RunPod shows this value to everybody who sees the pod"
            yield document.finding(("pod", "env", name), message, hint=hint(name))
    for name, value in cli_variables.items():
        if looks_secret(name, value):
            message = f"{name} looks like a secret, and its value would be in the records of the run"
            yield Finding(message=message, source="--var", hint=hint(name))


def hint(name: str) -> str:
    """The place where a secret belongs."""
    return f"put it under `secrets`: {{env: [{name.upper()}]}}: the job has the value as a variable"


def looks_secret(name: str, value: str) -> bool:
    """Whether the name is that of a secret, and the value could be one."""
    if SECRET.fullmatch(name) is None or PUBLIC.fullmatch(name) or not value or is_number(value):
        return False
    return "PASS" in name.upper() or len(value) >= SHORTEST_CHARS


def is_number(value: str) -> bool:
    """Whether the value is a number, as in `max_token=4096000000`."""
    return re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+", value) is not None
