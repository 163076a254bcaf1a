"""Placeholders for wrong values, so that one mistake does not hide the next. Knows the structure of the spec."""

from __future__ import annotations

import copy
import functools
import os
from typing import Any

from ..spec import (
    ArtifactPullSpec,
    CommandSpec,
    PodSpec,
    RsyncPushSpec,
    RunpodJobSpec,
    RunSpec,
    SecretSpec,
    StorageSpec,
)
from ..spec.plain import to_plain
from .finding import Loc, dotted

PLACEHOLDER = f"placeholder_{os.urandom(8).hex()}"
"""Drawn anew by each process, so that no file can hold it: whatever names it is about a placeholder."""
PATH = f"/{PLACEHOLDER}"
# Fields that decide what the other fields of their section must be. The whole section is replaced with them.
DECISIVE = {("storage", "mode")}


@functools.cache
def example_job() -> Any:
    """A valid job with an entry in each list."""
    job = RunpodJobSpec(
        name=PLACEHOLDER,
        pod=PodSpec(image=PLACEHOLDER, datacenters=(PLACEHOLDER,), gpu_order=(PLACEHOLDER,)),
        storage=StorageSpec(mode="ephemeral", volume_gb=1),
        run=RunSpec(script_path=PATH, log_path=f"{PATH}.log", body=PLACEHOLDER),
        setup=(CommandSpec(command=PLACEHOLDER),),
        preflight=(CommandSpec(command=PLACEHOLDER),),
        staging=(RsyncPushSpec(label=PLACEHOLDER, source=PLACEHOLDER, destination=PATH),),
        secrets=(SecretSpec(name=PLACEHOLDER, destination=PATH, env=(PLACEHOLDER,)),),
        artifacts=(ArtifactPullSpec(label=PLACEHOLDER, remote_path=PATH, local_path=PLACEHOLDER),),
    )
    return to_plain(job)


def is_about_placeholder(finding: object) -> bool:
    """Whether a finding or an error names a placeholder, and not something that is in the file."""
    return PLACEHOLDER in str(finding)


def put_placeholder(plain: Any, loc: Loc, *, remove: bool) -> Any:
    """The values, changed in place: the one at a location is removed or replaced by a placeholder."""
    loc = tuple(part for part in loc if part != "[key]")
    if loc in DECISIVE:
        loc = loc[:-1]
    if not loc or not isinstance(plain, dict):
        return copy.deepcopy(example_job())
    try:
        _set_placeholder(plain, loc, remove)
    except (KeyError, IndexError, TypeError):
        return copy.deepcopy(example_job())
    return plain


def _set_placeholder(plain: Any, loc: Loc, remove: bool) -> None:
    """Replaces the value at a location by its placeholder, or removes it."""
    holder = plain
    for part in loc[:-1]:
        if isinstance(holder, dict):
            holder.setdefault(part, {})
        holder = holder[part]
    if remove:
        holder.pop(loc[-1], None)
    else:
        holder[loc[-1]] = placeholder(loc)


def placeholder(loc: Loc) -> Any:
    """A value that is valid at a location. Labels and names are unique, so that none seems to be repeated."""
    value = example_job()
    for part in loc:
        if isinstance(value, list):
            value = value[0] if value else PLACEHOLDER
        else:
            value = value.get(part, PLACEHOLDER) if isinstance(value, dict) else PLACEHOLDER
    if isinstance(value, dict):
        value = {key: f"{dotted(loc)}" if key in ("label", "name") else item for key, item in value.items()}
    return dotted(loc) if loc[-1] in ("label", "name") else copy.deepcopy(value)
