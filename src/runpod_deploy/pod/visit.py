"""A person's own ssh on the pod of a run: a shell, a command, forwarded ports. Knows ssh's options; starts nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from ..errors import UsageError
from ..machine.environment import of_child
from .ssh import ALIAS, Connection

FORWARD = re.compile(r"(?:(\d{1,5}):)?(\d{1,5})")
HIGHEST_PORT = 65535
TERMINAL = ("TERM", "COLORTERM", "LC_TERMINAL")
SHELL = 'cd {} 2>/dev/null; exec "${{SHELL:-/bin/bash}}" -l'


@dataclass(frozen=True, slots=True)
class Forward:
    """A port of this machine that leads to a port of the pod."""

    here: int
    there: int

    @property
    def option(self) -> str:
        """The value of ssh's -L: only this machine can use the port."""
        return f"127.0.0.1:{self.here}:127.0.0.1:{self.there}"


def parse_forward(text: str) -> Forward:
    """`6006`, or `8006:6006` for another port here. Raises UsageError."""
    found = FORWARD.fullmatch(text)
    numbers = [int(number) for number in (found[1] or found[2], found[2])] if found else [0]
    if not all(0 < number <= HIGHEST_PORT for number in numbers):
        raise UsageError(f"-L {text!r} is not a port", hint="write -L 6006, or -L 8006:6006 for port 8006 here")
    return Forward(*numbers)


def ssh_command(
    connection: Connection, command: Sequence[str], forwards: Sequence[Forward], *, folder: str, terminal: bool
) -> list[str]:
    """The ssh command: a login shell in that folder without a command; only ports, if nobody could type there.

    As with ssh, the words of a command are joined, and the pod's shell reads them.
    """
    options = [word for forward in forwards for word in ("-L", forward.option)]
    options += ["-o", "ExitOnForwardFailure=yes"] if forwards else []
    if not command and forwards and not terminal:
        return ["ssh", "-F", str(connection.prepared()), *options, "-N", ALIAS]
    words = " ".join(command) if command else SHELL.format(quote(folder))
    return ["ssh", "-F", str(connection.prepared()), *options, "-t" if terminal else "-T", ALIAS, words]


def visitor_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of that ssh: what every child gets, and the kind of terminal."""
    return of_child(environ) | {name: environ[name] for name in TERMINAL if name in environ}
