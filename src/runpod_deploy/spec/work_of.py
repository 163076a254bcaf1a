"""What a run does on its pod, as one checksum: the same on every machine that asks for it. Pure.

Local paths, keys, limits and what becomes of the pod may differ from machine to machine; the work may not.
"""

from __future__ import annotations

import hashlib
from typing import Any

from .job import Spec
from .plain import to_plain
from .strict_json import dumps

DIGITS = 32


def work_of(spec: Spec) -> str:
    """The checksum of everything in the spec that the pod would notice."""
    text = dumps(parts(spec))
    for path in (spec.project_root, spec.config_path.parent):
        text = text.replace(dumps(str(path))[1:-1], ".")
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:DIGITS]


def parts(spec: Spec) -> list[Any]:
    """The sections of the config that the pod would notice, without what is this machine's own in them."""
    job = spec.job
    return [
        *map(to_plain, (job.pod, job.storage, job.setup, job.preflight, job.run, job.remote_env)),
        [without(entry, "source") for entry in job.staging],
        [without(secret, "file", "env_file", "env") for secret in job.secrets],
        [without(entry, "local_path") for entry in job.artifacts],
    ]


def without(entry: object, *own: str) -> dict[str, Any]:
    """The entry without these fields."""
    return {name: value for name, value in to_plain(entry).items() if name not in own}
