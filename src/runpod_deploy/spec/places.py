"""Paths on this machine, as configs and command lines write them. Knows notation; looks at no file."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigError


def expanded(path: str | Path) -> Path:
    """The path with `~` and `~user` replaced by the home folder. Raises ConfigError if there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{str(path)!r}: this machine has no such user, or the user has no home folder",
            hint="write the path in full; a folder whose name begins with ~ is written ./~name",
        ) from None
