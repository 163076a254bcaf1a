"""The environments of child processes, put together from named variables. Knows names; starts nothing.

A child gets only what it needs. The API key, the secrets of jobs, and everything else that the caller's environment may
hold reach no child, so that no program and nothing in a project that it reads can send them anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

MACHINE = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"),
    *("LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "NSS_WRAPPER_PASSWD", "NSS_WRAPPER_GROUP"),
)
"""What programs need to run on this machine as they run in the user's shell. The last row is for machines on which ssh
finds its libraries, or the user's own name, only with them."""
AGENT = ("SSH_AUTH_SOCK",)
"""The agent, which may hold the key that `ssh.key_path` names."""


def of_child(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of ssh, and of the programs that call it."""
    return picked((*MACHINE, *AGENT), environ)


def of_git(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of git before its own settings: without an agent, and without any `GIT_…` of the caller."""
    return picked(MACHINE, environ)


def picked(names: Iterable[str], environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """These variables, as far as they are set, and a PATH."""
    known = os.environ if environ is None else environ
    return {name: known[name] for name in names if name in known} | {"PATH": search_path(known)}


def search_path(environ: Mapping[str, str]) -> str:
    """The PATH without relative folders: those would let a project bring its own `git` or `ssh`."""
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if os.path.isabs(folder))  # noqa: PTH117
