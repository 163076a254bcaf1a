"""What connections to pods need from this machine: ssh, a place for keys and sockets, and locks that work.

Each function returns what is wrong, in words for people, or None. `run` asks them before anything is paid, `doctor` at
any time, and a connection that fails asks whether the reason is here. Knows this machine; knows no pod.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigError, SshUnusable
from ..machine import proc
from ..machine.files import lock_error
from ..record.paths import RunDir
from . import sockets

PROGRAM_TIMEOUT_S = 20.0
OLDEST_SSH = (7, 6)
"""The first version that has `StrictHostKeyChecking accept-new`."""
INSTALL_HINT = "install the OpenSSH client"
LIBRARY_HINT = "a library that it loads does not fit: start from a shell without conda, or unset LD_LIBRARY_PATH"
LOCAL_TEXTS = (
    "Bad owner or permissions on",
    "Bad configuration option",
    "bad configuration options",
    "too long for Unix domain socket",
    "OpenSSL version mismatch",
    "error while loading shared libraries",
    "No user exists for uid",
)
"""What ssh says when the reason for its failure is on this machine."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something on this machine that keeps every run from working."""

    message: str
    hint: str

    def as_error(self) -> SshUnusable:
        """The error of a run that has met it."""
        return SshUnusable(self.message, hint=self.hint)


def troubles(run_dir: RunDir) -> Iterator[Trouble]:
    """Everything that is wrong, for a run in this folder."""
    for found in (ssh_trouble(), keygen_trouble(), socket_trouble(), lock_trouble(run_dir.path)):
        if found is not None:
            yield found


def ssh_trouble() -> Trouble | None:
    """Whether ssh runs, and is an OpenSSH that has what we need."""
    words, trouble = answer("ssh", "-V")
    if trouble is not None:
        return trouble
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", words)
    if found and (int(found[1]), int(found[2])) >= OLDEST_SSH:
        return None
    oldest = ".".join(map(str, OLDEST_SSH))
    return Trouble(f"ssh on this machine is not OpenSSH {oldest} or newer: {words[:200]}", INSTALL_HINT)


def keygen_trouble() -> Trouble | None:
    """Whether ssh-keygen runs; without arguments that make it do something, it prints its usage and fails."""
    return answer("ssh-keygen", "-?", may_fail=True)[1]


def answer(program: str, argument: str, *, may_fail: bool = False) -> tuple[str, Trouble | None]:
    """What a program prints, and the trouble if it does not run."""
    try:
        ended = proc.run((program, argument), timeout_s=PROGRAM_TIMEOUT_S)
    except FileNotFoundError:
        return "", Trouble(f"{program} is not in PATH", INSTALL_HINT)
    except OSError as error:
        return "", Trouble(f"{program} cannot be started: {error.strerror}", INSTALL_HINT)
    except TimeoutError:
        return "", Trouble(f"`{program} {argument}` took longer than {PROGRAM_TIMEOUT_S:.0f} s", INSTALL_HINT)
    words = (ended.stderr or ended.stdout).decode(errors="replace").strip()
    # A program that the system cannot load ends with 127, one that crashes by a signal.
    broken = ended.exit_code < 0 or ended.exit_code in (126, 127) or (ended.exit_code != 0 and not may_fail)
    if not broken and not (may_fail and local_words(words)):
        return words, None
    said = words.splitlines()[-1] if words else f"exit code {ended.exit_code}"
    return words, Trouble(f"{program} on this machine does not work: {said}", hint_for(words, INSTALL_HINT))


def hint_for(words: str, otherwise: str) -> str:
    """What to do about a failure with these words."""
    return LIBRARY_HINT if "shared libraries" in words or "OpenSSL version" in words else otherwise


def socket_trouble() -> Trouble | None:
    """Whether a private folder for SSH's control socket can be made."""
    try:
        sockets.remove_folder(sockets.socket_folder())
    except ConfigError as error:
        return Trouble(error.message, error.hint)
    return None


def lock_trouble(folder: Path) -> Trouble | None:
    """Whether a file in this folder can be locked: without that, two processes could carry out one run."""
    if not (words := lock_error(folder)):
        return None
    hint = "use a project on a local disk, or an NFS server that has locks"
    return Trouble(f"{folder}: files cannot be locked there: {words}", hint)


def local_words(text: str) -> str:
    """The line of ssh's error output that names a reason on this machine; empty if none does."""
    return next((line.strip() for line in text.splitlines() if any(known in line for known in LOCAL_TEXTS)), "")


def trouble_behind(exit_code: int, stderr: bytes) -> Trouble | None:
    """The reason on this machine for which ssh failed; None if it is not here."""
    words = stderr.decode(errors="replace")
    if (trouble := ssh_trouble()) is not None:
        return trouble
    if exit_code == 255 and (line := local_words(words)):
        return Trouble(f"ssh on this machine does not work: {line}", hint_for(words, "mend what ssh says, then resume"))
    return None


def start_trouble(error: OSError) -> Trouble | None:
    """The trouble of a program of ours that could not be started; None for another error."""
    if os.fspath(error.filename or "") not in ("ssh", "ssh-keygen"):
        return None
    return Trouble(f"{error.filename} on this machine cannot be started: {error.strerror}", INSTALL_HINT)


def run_here(argv: tuple[str, ...]) -> proc.Completed:
    """The result of a short command on this machine. Raises ConfigError if it cannot be started, and TimeoutError."""
    with started_here():
        return proc.run(argv, timeout_s=PROGRAM_TIMEOUT_S)


@contextmanager
def started_here() -> Iterator[None]:
    """An ssh that cannot be started in this block is a ConfigError with words about this machine."""
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        if (trouble := start_trouble(error)) is None:
            raise
        raise trouble.as_error() from error
