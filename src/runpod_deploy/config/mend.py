"""Wrong values replaced by harmless ones, lest one mistake hide the next. Knows the spec's shape."""

from __future__ import annotations

import copy
import functools
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

STAND_IN = "stand-in"
# Fields whose value decides what their neighbours must be: the section is replaced as a whole.
DECISIVE = {("storage", "mode")}


@functools.cache
def specimen() -> Any:
    """A valid job with an entry in each list."""
    job = RunpodJobSpec(
        name=STAND_IN,
        pod=PodSpec(image=STAND_IN, datacenters=(STAND_IN,), gpu_order=(STAND_IN,)),
        storage=StorageSpec(mode="ephemeral", volume_gb=1),
        run=RunSpec(script_path="/stand-in", log_path="/stand-in", body=STAND_IN),
        setup=(CommandSpec(command=STAND_IN),),
        preflight=(CommandSpec(command=STAND_IN),),
        staging=(RsyncPushSpec(label=STAND_IN, source=STAND_IN, destination="/stand-in"),),
        secrets=(SecretSpec(name=STAND_IN, destination="/stand-in", env=("STAND_IN",)),),
        artifacts=(ArtifactPullSpec(label=STAND_IN, remote_path="/stand-in", local_path=STAND_IN),),
    )
    return to_plain(job)


def mend(plain: Any, loc: Loc, *, remove: bool) -> Any:
    """The values, changed in place, with the one at a location removed or made harmless."""
    loc = tuple(part for part in loc if part != "[key]")
    if loc in DECISIVE:
        loc = loc[:-1]
    if not loc or not isinstance(plain, dict):
        return copy.deepcopy(specimen())
    try:
        _put(plain, loc, remove)
    except (KeyError, IndexError, TypeError):
        return copy.deepcopy(specimen())
    return plain


def _put(plain: Any, loc: Loc, remove: bool) -> None:
    """The place holds its stand-in, or nothing."""
    holder = plain
    for part in loc[:-1]:
        if isinstance(holder, dict):
            holder.setdefault(part, {})
        holder = holder[part]
    if remove:
        holder.pop(loc[-1], None)
    else:
        holder[loc[-1]] = stand_in(loc)


def stand_in(loc: Loc) -> Any:
    """A value that is valid at a location; names are unique, lest they seem repeated."""
    value = specimen()
    for part in loc:
        if isinstance(value, list):
            value = value[0] if value else STAND_IN
        else:
            value = value.get(part, STAND_IN) if isinstance(value, dict) else STAND_IN
    if isinstance(value, dict):
        value = {key: f"{dotted(loc)}" if key in ("label", "name") else item for key, item in value.items()}
    return dotted(loc) if loc[-1] in ("label", "name") else copy.deepcopy(value)
