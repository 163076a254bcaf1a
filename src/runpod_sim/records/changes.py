"""A pod's next spec, from its present one and a PATCH body. Knows rules; knows no HTTP and changes nothing."""

from __future__ import annotations

from typing import Any

from .pod_rules import check_container, check_paths
from .problems import bad

Spec = dict[str, Any]
# A PATCH applies these fields of a template, but not its mounts.
TEMPLATE_FIELDS = ("image", "entrypoint", "cmd", "args", "disk", "ports", "env", "registry")
# When one of these changes, the container is made anew.
CONTAINER_FIELDS = (*TEMPLATE_FIELDS, "mounts")


def changed(spec: Spec, change: Spec, template: Spec | None) -> Spec:
    """The spec with the change and the template under it. Raises Problem where a rule is broken."""
    below = {name: template[name] for name in TEMPLATE_FIELDS if name in template} if template else {}
    given = below | {name: value for name, value in change.items() if name != "templateId"}
    if template and "env" in change:
        given["env"] = template["env"] | change["env"]
    new = spec | given | {"mounts": _mounts(spec["mounts"], change.get("mounts") or {})}
    _drop_other_start(new, given)
    check_container(new)
    return new


def remakes(old: Spec, new: Spec) -> bool:
    """Whether the container has to be made anew."""
    return any(old.get(name) != new.get(name) for name in CONTAINER_FIELDS)


def _drop_other_start(new: Spec, given: Spec) -> None:
    """A start command is given as args, or as entrypoint and cmd; the one that was not given now is dropped."""
    if "args" in given and "entrypoint" not in given and "cmd" not in given:
        new.pop("entrypoint", None)
        new.pop("cmd", None)
    elif "args" not in given and ("entrypoint" in given or "cmd" in given):
        new["args"] = ""


def _mounts(old: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    if change.get("network") == []:
        raise bad("mounts.network cannot be cleared")
    if not set(change) <= set(old):
        raise bad("the kind of a pod's mounts is fixed at its creation")
    if "network" in change and change["network"][0]["volumeId"] != old["network"][0]["volumeId"]:
        raise bad("mounts.network[0].volumeId cannot be changed")
    if "persistent" in change and change["persistent"]["size"] < old["persistent"]["size"]:
        raise bad("mounts.persistent.size cannot be reduced")
    check_paths(change)
    return old | change
