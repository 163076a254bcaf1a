"""One OpenSSH connection to a pod, with its own config, key pair and known hosts.

Knows OpenSSH's options and error texts; knows nothing of jobs. `ssh -F <ssh_dir>/config pod` works by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Literal

from ..cloud.values import Address
from ..errors import ConfigError, SshLost
from ..machine import proc
from ..machine.files import write_atomically
from ..machine.reading import read_limited
from ..spec.visible import shortened
from .keys import key_folder, make_key
from .sockets import remove_folder, socket_folder
from .this_machine import run_here, started_here, trouble_behind

ALIAS = "pod"
SSH_FAILED = 255
MAY_BE_LOCAL = (SSH_FAILED, 126, 127)
"""The exit codes of an ssh that failed, or that this machine could not load. Commands on the pod may have them, too."""
SHOWN_CHARS = 300
KEEP_CONTACT = "(while kill -0 $$; do : >CONTACT; sleep 30; done) </dev/null >/dev/null 2>&1 & "
"""Shell text before a command: while the command runs, the guard sees that a client is at work."""

Reason = Literal["auth", "host_key", "not_listening", "dropped"]

ERROR_TEXTS: tuple[tuple[Reason, tuple[str, ...]], ...] = (
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
"""The error texts of ssh 8 and 9, the most specific first."""

HINTS: dict[Reason, str] = {
    "auth": "The pod accepts none of our keys: it may be another pod at a reused address, or the start script of its "
    "image ignores PUBLIC_KEY.",
    "host_key": "The host key of the pod is pinned for the run, and another key answers: another machine is at the "
    "pod's address, or somebody restarted its container. If you know why, delete known_hosts in the run's ssh folder "
    "and resume.",
    "not_listening": "sshd may not be up yet, or the image has none.",
    "dropped": "The network or the pod went away; `runpod-deploy resume` continues the run.",
}


class Unreachable(SshLost):
    """The pod did not answer over SSH, or no longer does; `reason` says why."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"SSH: {message}", hint=HINTS[reason])
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The values in the config of one connection."""

    ssh_dir: Path
    address: Address
    host_alias: str
    """The name of the pod in known_hosts: addresses are reused, names are not."""
    user_key: Path | None = None


def config_text(login: Login) -> str:
    """The text of the connection's ssh_config(5). Raises ConfigError for a value that would add a line to it."""
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
        ("UpdateHostKeys", "no"),
        ("CheckHostIP", "no"),
        ("PreferredAuthentications", "publickey"),
        ("BatchMode", "yes"),
        ("ConnectTimeout", "10"),
        ("ServerAliveInterval", "5"),
        ("ServerAliveCountMax", "3"),
        *(() if login.user_key else (("IdentityAgent", "none"),)),
        ("LogLevel", "ERROR"),
    ]
    if odd := [f"{name} {value}" for name, value in rows if not value.isprintable()]:
        raise ConfigError(
            f"a control character would get into ssh's config: {odd[0]!r}",
            hint="rename the folder of the project: its path holds that character",
        )
    return f"Host {ALIAS}\n" + "".join(f"    {name} {value}\n" for name, value in rows)


def quoted(path: Path) -> str:
    """The path quoted for ssh_config(5): quotes and backslashes escaped, `%` doubled."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'


def control_path(folder: Path, login: Login) -> Path:
    """The path of the shared connection's socket in that folder."""
    identity = f"{login.ssh_dir}\0{login.address.host}\0{login.address.port}\0{login.host_alias}"
    return folder / hashlib.sha256(identity.encode(errors="surrogateescape")).hexdigest()[:16]


def classify(stderr: bytes) -> Unreachable:
    """The error that ssh's error output means."""
    text = stderr.decode(errors="replace").strip()
    last = shortened(text.splitlines()[-1], SHOWN_CHARS) if text else "the connection was lost"
    for reason, known in ERROR_TEXTS:
        if any(part in text for part in known):
            return Unreachable(reason, last)
    return Unreachable("dropped", last)


class Connection:
    """A multiplexed connection. The first call makes it, and so does the first call after it broke."""

    def __init__(self, login: Login, *, contact: str = "") -> None:
        """`contact` is a file on the pod that is touched during a long transfer."""
        self._login = login
        self._keep_contact = KEEP_CONTACT.replace("CONTACT", quote(contact)) if contact else ""
        self._config = login.ssh_dir / "config"
        self._sockets: Path | None = None

    def run(
        self,
        command: str,
        *,
        stdin: bytes | bytearray = b"",
        timeout_s: float,
        keep_stdin_open: bool = False,
        keep_bytes: int = proc.OUTPUT_LIMIT_BYTES,
        on_output: Callable[[bytes], None] | None = None,
    ) -> proc.Completed:
        """The result of a command of the login shell. Raises Unreachable, and TimeoutError after timeout_s seconds."""
        argv = self.argv(command)
        with started_here():
            ended = proc.run(
                argv,
                stdin=stdin,
                timeout_s=timeout_s,
                keep_stdin_open=keep_stdin_open,
                keep_bytes=keep_bytes,
                on_output=on_output,
            )
        self.check(ended.exit_code, ended.stderr)
        return ended

    def spawn(self, command: str) -> proc.Child:
        """The running command, with pipes to its stdin and stdout."""
        # The `exit` is for busybox: it would run a last command in place of the shell, and its tar would then wait for
        # the process in the background.
        argv = self.argv(f"{self._keep_contact}{command}\nexit $?")
        with started_here():
            return proc.Child(argv)

    def argv(self, command: str) -> tuple[str, ...]:
        """The local command line that runs a command on the pod."""
        return ("ssh", "-F", str(self._config), *self._sharing(), "-T", ALIAS, command)

    def prepared(self) -> Path:
        """The config of the connection, which is on disk now, and so is its key. Raises ConfigError."""
        make_key(self._login.ssh_dir)
        _write_private(self._config, config_text(self._login))
        return self._config

    def rsync_options(self) -> tuple[str, ...]:
        """The options that make rsync use this connection. Its -e splits at spaces and reads a doubled quote as one."""
        sharing = " ".join(self._sharing())
        path = str(self._config).replace("'", "''")
        return ("-e", f"ssh -F '{path}' {sharing} -T", f"--rsync-path={self._keep_contact}rsync")

    def check(self, exit_code: int, stderr: bytes) -> None:
        """Raises Unreachable if ssh itself failed, not the command, which may also exit with 255.

        Raises ConfigError if the reason is on this machine, where another pod would not help.
        """
        if (exit_code in MAY_BE_LOCAL or exit_code < 0) and not self._alive():
            if (trouble := trouble_behind(exit_code, stderr)) is not None:
                raise trouble.as_error()
            if exit_code == SSH_FAILED:
                raise classify(stderr)

    def close(self) -> None:
        """No connection is open."""
        if self._sockets is not None:
            with suppress(ConfigError, TimeoutError):  # a broken ssh here has no connection left
                self._control("exit")
            remove_folder(self._sockets)
            self._sockets = None

    def _alive(self) -> bool:
        return self._control("check").exit_code == 0

    def _control(self, request: str) -> proc.Completed:
        return run_here(("ssh", "-F", str(self._config), *self._sharing(), "-O", request, ALIAS))

    def _sharing(self) -> tuple[str, ...]:
        """The options by which the commands of this process share one connection; the config is on disk."""
        if self._sockets is None or not self._sockets.is_dir():  # a logout removes the folder of the session
            self.prepared()
            self._sockets = socket_folder()
        path = control_path(self._sockets, self._login)
        return ("-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={path}")


def _identities(login: Login) -> list[Path]:
    users = [login.user_key] if login.user_key is not None and login.user_key.is_file() else []
    return [key_folder(login.ssh_dir) / "key", *users]


def _write_private(path: Path, text: str) -> None:
    """The file holds the text; unchanged text needs no room on a full disk. Raises ConfigError if that fails."""
    try:
        if not path.is_symlink() and path.is_file() and holds(path, text.encode(errors="surrogateescape")):
            return
        write_atomically(path, text, mode=0o600)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}", hint="make room on that disk") from error


def holds(path: Path, content: bytes) -> bool:
    """Whether the file has exactly this content."""
    return path.stat().st_size == len(content) and read_limited(path, len(content)) == content
