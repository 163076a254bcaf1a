"""One OpenSSH connection to a pod, with a config, a key pair and known hosts of its own.

Knows OpenSSH's options and its ways to fail; knows nothing of jobs. `ssh -F <ssh_dir>/config pod` works by hand.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Literal

from ..cloud.values import Address
from ..errors import ConfigError, SshLost
from ..machine import proc

ALIAS = "pod"
LOCAL_CALL_S = 20.0
SSH_FAILED = 255
PRESENCE = "(while kill -0 $$; do : >CONTACT; sleep 30; done) </dev/null >/dev/null 2>&1 & "
"""Shell text before a command: tells the guard that somebody is at work."""

Reason = Literal["auth", "host_key", "not_listening", "dropped"]

SIGNS: tuple[tuple[Reason, tuple[str, ...]], ...] = (
    ("host_key", ("IDENTIFICATION HAS CHANGED", "Host key verification failed")),
    ("auth", ("Permission denied", "Too many authentication failures")),
    (
        "not_listening",
        (
            "Connection refused",
            "No route to host",
            "Could not resolve",
            "timed out",
            "Network is unreachable",
            "kex_exchange_identification",
            "banner exchange",
        ),
    ),
)
"""What ssh 8 and 9 print, most telling first."""

HINTS: dict[Reason, str] = {
    "auth": "The pod lets none of our keys in: it may be another pod at a recycled address, or its image's start "
    "script ignores PUBLIC_KEY.",
    "host_key": "Another machine answers at the pod's address, or the pod's container was made anew. "
    "If you know why, delete known_hosts in the run's ssh folder and resume.",
    "not_listening": "sshd may not be up yet, or the image has none.",
    "dropped": "The network or the pod went away; `runpod-deploy resume` goes on where it was.",
}


class Unreachable(SshLost):
    """The pod did not answer over SSH, or no longer does; `reason` says which way."""

    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(f"SSH: {words}", hint=HINTS[reason])
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """All that the config of one connection is made of."""

    ssh_dir: Path
    address: Address
    host_alias: str
    """Name of the pod in known_hosts: addresses are recycled, names are not."""
    user_key: Path | None = None


def make_key(ssh_dir: Path) -> str:
    """The public half of the run's own key pair, made on the first call."""
    ssh_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    ssh_dir.chmod(0o700)
    private, public = ssh_dir / "key", ssh_dir / "key.pub"
    if not public.exists():
        private.unlink(missing_ok=True)
        argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "runpod-deploy", "-f", str(private))
        made = _locally(argv)
        if made.exit_code:
            raise ConfigError(f"no SSH key could be made: {made.stderr.decode(errors='replace').strip()}")
    return public.read_text().strip()


def copy_key(source_dir: Path, ssh_dir: Path) -> bool:
    """Whether the run has the key pair of an earlier run now, whose pod lets in no other."""
    if not (source_dir / "key").is_file() or not (source_dir / "key.pub").is_file():
        return False
    ssh_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("key", "key.pub"):
        shutil.copy2(source_dir / name, ssh_dir / name)
    return True


def public_keys(ssh_dir: Path, user_key: Path) -> str:
    """What the pod is to let in, one key a line: the run's own, and the user's if its public half is there."""
    keys = [make_key(ssh_dir)]
    users = user_key.with_name(user_key.name + ".pub")
    if users.is_file():
        keys.append(users.read_text().strip())
    return "\n".join(keys)


def config_text(login: Login) -> str:
    """The ssh_config(5) of a connection."""
    rows = [
        ("HostName", login.address.host),
        ("Port", str(login.address.port)),
        ("User", "root"),
        *(("IdentityFile", quoted(path)) for path in _identities(login)),
        ("IdentitiesOnly", "yes"),
        ("HostKeyAlias", login.host_alias),
        ("UserKnownHostsFile", quoted(login.ssh_dir / "known_hosts")),
        ("GlobalKnownHostsFile", "/dev/null"),
        ("StrictHostKeyChecking", "accept-new"),
        ("PreferredAuthentications", "publickey"),
        ("BatchMode", "yes"),
        ("ConnectTimeout", "10"),
        ("ServerAliveInterval", "5"),
        ("ServerAliveCountMax", "3"),
        ("ControlMaster", "auto"),
        ("ControlPersist", "60"),
        ("ControlPath", quoted(control_path(login))),
        ("LogLevel", "ERROR"),
    ]
    return f"Host {ALIAS}\n" + "".join(f"    {name} {value}\n" for name, value in rows)


def quoted(path: Path) -> str:
    """The path as ssh_config(5) reads it back: quotes and backslashes escaped, `%` doubled."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'


def control_path(login: Login) -> Path:
    """Where the shared connection's socket lies: a short path, as a socket's may have 104 bytes at most."""
    told = f"{login.ssh_dir}\0{login.address.host}\0{login.address.port}"
    return Path(f"/tmp/runpod-deploy-{os.getuid()}", hashlib.sha256(told.encode()).hexdigest()[:16])


def classify(stderr: bytes) -> Unreachable:
    """What ssh's last words mean."""
    words = stderr.decode(errors="replace").strip()
    last = words.splitlines()[-1] if words else "the connection was lost"
    for reason, signs in SIGNS:
        if any(sign in words for sign in signs):
            return Unreachable(reason, last)
    return Unreachable("dropped", last)


class Connection:
    """A multiplexed connection, made by the first call that needs it and by the first one after it broke."""

    def __init__(self, login: Login, *, contact: str = "") -> None:
        """`contact` is a file on the pod to touch while a long transfer goes on."""
        self._login = login
        self._presence = PRESENCE.replace("CONTACT", quote(contact)) if contact else ""
        self._config = login.ssh_dir / "config"
        self._ready = False

    def run(
        self,
        command: str,
        *,
        stdin: bytes = b"",
        timeout_s: float,
        hold_stdin: bool = False,
        keep_bytes: int = proc.OUTPUT_LIMIT_BYTES,
        on_output: Callable[[bytes], None] | None = None,
    ) -> proc.Completed:
        """The ended command of the login shell. Raises Unreachable and TimeoutError."""
        ended = proc.run(
            self.argv(command),
            stdin=stdin,
            timeout_s=timeout_s,
            hold_stdin=hold_stdin,
            keep_bytes=keep_bytes,
            on_output=on_output,
        )
        self.check(ended.exit_code, ended.stderr)
        return ended

    def spawn(self, command: str) -> proc.Child:
        """The running command, to be talked with through pipes."""
        # Not the last command: busybox runs that in place of the shell, and its tar then waits for our child.
        return proc.Child(self.argv(f"{self._presence}{command}\nexit $?"))

    def argv(self, command: str) -> tuple[str, ...]:
        """What runs a command on the pod."""
        self._prepare()
        return ("ssh", "-F", str(self._config), "-T", ALIAS, command)

    def rsync_way(self) -> tuple[str, ...]:
        """Options that let rsync use this connection: its -e splits at spaces and takes a doubled quote for one."""
        self._prepare()
        path = str(self._config).replace("'", "''")
        return ("-e", f"ssh -F '{path}' -T", f"--rsync-path={self._presence}rsync")

    def check(self, exit_code: int, stderr: bytes) -> None:
        """Raises Unreachable if ssh itself failed, and not the command, which may exit 255 as well."""
        if exit_code == SSH_FAILED and not self._alive():
            raise classify(stderr)

    def close(self) -> None:
        """No connection is open."""
        if self._ready:
            _locally(("ssh", "-F", str(self._config), "-O", "exit", ALIAS))

    def _alive(self) -> bool:
        return _locally(("ssh", "-F", str(self._config), "-O", "check", ALIAS)).exit_code == 0

    def _prepare(self) -> None:
        if self._ready:
            return
        make_key(self._login.ssh_dir)
        _make_private(control_path(self._login).parent)
        _keep(self._config, config_text(self._login))
        self._ready = True


def _identities(login: Login) -> list[Path]:
    users = [login.user_key] if login.user_key is not None and login.user_key.is_file() else []
    return [login.ssh_dir / "key", *users]


def _keep(path: Path, text: str) -> None:
    """The file holds the text. Raises ConfigError if it cannot; a full disk bars nobody from a pod that he knows."""
    if path.is_file() and path.read_text() == text:
        return
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}", hint="make room on that disk") from error


def _make_private(folder: Path) -> None:
    """The folder is ours alone. Raises ConfigError if somebody else was there first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(f"{folder} is not yours alone", hint=f"remove it: rm -r {folder}")


def _locally(argv: tuple[str, ...]) -> proc.Completed:
    return proc.run(argv, timeout_s=LOCAL_CALL_S)
