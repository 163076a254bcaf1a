"""Checks whether this machine can carry out runs, each with a hint if something is wrong. Prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..cloud.runpod import RunPodCloud
from ..errors import FAILURE_KINDS, DeployError
from ..machine.proc import is_installed
from ..money import cents
from ..pod.this_machine import Trouble, keygen_trouble, lock_trouble, socket_trouble, ssh_trouble

LITTLE_USD = 5.0
RSYNC_HINT = "install rsync: without it, every folder is sent as a whole, as a tar stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check."""

    name: str
    status: str
    """ok, warning or error."""
    message: str
    hint: str = ""
    exit_code: int = 0
    """The tool's exit code if this is the first check that fails; 0 if it does not fail."""


def check_all(cloud: Callable[[], RunPodCloud], key_path: Path, cache_dir: Path, project: Path) -> Iterable[Check]:
    """Every check, one after the other. Without a key, the API is not asked."""
    yield from check_machine(project)
    yield check_key_file(key_path)
    yield check_cache(cache_dir)
    try:
        reached = cloud()
    except DeployError as error:
        yield failed("key", error)
        return
    yield Check(name="key", status="ok", message="a RunPod API key is set")
    yield check_api(reached)
    yield check_balance(reached)


def check_machine(project: Path) -> Iterable[Check]:
    """The checks that each run makes before anything is paid, with the same words, and whether rsync is here."""
    yield checked("ssh", "works", ssh_trouble())
    yield checked("ssh-keygen", "works", keygen_trouble())
    yield checked("sockets", "a private folder for SSH connections can be made", socket_trouble())
    yield checked("locks", f"files in {project} can be locked", lock_trouble(project))
    if is_installed("rsync"):
        yield Check(name="rsync", status="ok", message="found")
    else:
        yield Check(name="rsync", status="warning", message="not found", hint=RSYNC_HINT)


def checked(name: str, fine: str, trouble: Trouble | None) -> Check:
    """The check of something without which no run works."""
    if trouble is None:
        return Check(name=name, status="ok", message=fine)
    return Check(
        name=name,
        status="error",
        message=trouble.message,
        hint=trouble.hint,
        exit_code=FAILURE_KINDS["config"].exit_code,
    )


def check_key_file(path: Path) -> Check:
    """Whether the user's own SSH key is there. Runs do not need it: they make keys of their own."""
    if path.is_file() and path.with_name(path.name + ".pub").is_file():
        return Check(name="ssh key", status="ok", message=f"pods will accept {path}")
    hint = "runs do not need it: they make their own keys; to log in with a key of yours, make one with ssh-keygen"
    return Check(name="ssh key", status="warning", message=f"{path} and its .pub are not both there", hint=hint)


def check_cache(folder: Path) -> Check:
    """Whether the processes of this user can share a cache folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        hint = "set XDG_CACHE_HOME to a folder of yours; without it, many runs at once exceed the API's rate limit"
        return Check(name="cache", status="warning", message=f"{folder}: {error.strerror}", hint=hint)
    return Check(name="cache", status="ok", message=f"{folder} can be written")


def check_api(cloud: RunPodCloud) -> Check:
    """Whether the API accepts this key."""
    try:
        pods = cloud.list_pods()
    except DeployError as error:
        return failed("api", error)
    running = sum(pod.status != "EXITED" for pod in pods)
    return Check(name="api", status="ok", message=f"answers; {len(pods)} pods, {running} of them not stopped")


def check_balance(cloud: RunPodCloud) -> Check:
    """Whether the account can pay. A key that may not read the balance is only a warning."""
    try:
        balance = cloud.balance()
    except DeployError as error:
        return Check(name="balance", status="warning", message=error.message, hint=error.hint)
    message = f"${cents(balance.balance_usd)} left, ${cents(balance.spend_usd_per_hour)} spent per hour now"
    if balance.balance_usd <= 0:
        code = FAILURE_KINDS["balance"].exit_code
        return Check(
            name="balance",
            status="error",
            message=message,
            hint="add funds in RunPod's console; stopped pods still cost money: `runpod-deploy ls-stale`",
            exit_code=code,
        )
    if balance.balance_usd < LITTLE_USD:
        hint = "add funds: a new pod needs credit for one hour, and at $0 RunPod deletes pods with their disks"
        return Check(name="balance", status="warning", message=message, hint=hint)
    return Check(name="balance", status="ok", message=message)


def failed(name: str, error: DeployError) -> Check:
    """The check that failed with this error."""
    return Check(name=name, status="error", message=error.message, hint=error.hint, exit_code=error.exit_code)
