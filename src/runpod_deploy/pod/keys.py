"""The SSH keys of a run: its own pair and its place, and the public keys for its pod. Knows files, not connections."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

from ..config.settings import state_dir
from ..errors import ConfigError, UsageError
from ..machine.files import real
from ..machine.limits import NOTE_BYTES
from ..machine.reading import read_limited
from .this_machine import run_here


def make_key(ssh_dir: Path) -> str:
    """The public key of the run's own key pair, which the first call makes. Raises ConfigError."""
    folder = key_folder(ssh_dir)
    private, public = folder / "key", folder / "key.pub"
    if not public.exists():
        private.unlink(missing_ok=True)
        argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "runpod-deploy", "-f", str(private))
        made = run_here(argv)
        if made.exit_code:
            raise ConfigError(f"no SSH key could be made: {made.stderr.decode(errors='replace').strip()}")
    return read_limited(public, NOTE_BYTES).decode().strip()


def key_folder(ssh_dir: Path) -> Path:
    """Where the key of a run lies: in its ssh folder, or with the user's state if nothing there can be private.

    On some mounts every file has the mode 0777, and ssh refuses such a key. Raises ConfigError if there is no place,
    and UsageError if the ssh folder is a link, which may lead to another folder of the user.
    """
    if ssh_dir.is_symlink():
        raise UsageError(
            f"{ssh_dir} is a link; nothing was written", hint="put a folder in its place, or start a new run"
        )
    for folder in (ssh_dir, state_dir() / "keys" / hashlib.sha256(os.fsencode(real(ssh_dir))).hexdigest()[:16]):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(PermissionError):
                folder.chmod(0o700)
            if not folder.stat().st_mode & 0o077:
                return folder
        except OSError as error:
            raise ConfigError(f"{folder}: cannot be made: {error.strerror}", hint="make room on that disk") from error
    raise ConfigError(f"{folder}: nothing there can be private, so no SSH key can", hint="set XDG_STATE_HOME")


def copy_key(source_dir: Path, ssh_dir: Path) -> bool:
    """Whether the key pair of an earlier run was copied to this run, which resumes the pod of that run."""
    source = source_dir if (source_dir / "key").is_file() else key_folder(source_dir)
    if not (source / "key").is_file() or not (source / "key.pub").is_file():
        return False
    folder = key_folder(ssh_dir)
    for name in ("key", "key.pub"):
        shutil.copy2(source / name, folder / name)
    return True


def public_keys(ssh_dir: Path, user_key: Path) -> str:
    """The public keys for the pod, one per line: the run's own, and the user's if its .pub file exists."""
    keys = [make_key(ssh_dir)]
    users = user_key.with_name(user_key.name + ".pub")
    if users.is_file():
        keys.append(read_limited(users, NOTE_BYTES).decode().strip())
    return "\n".join(keys)
