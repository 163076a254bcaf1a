"""The shell scripts that run on the pod, as text and as one archive. Knows their names only."""

from __future__ import annotations

import hashlib
import io
import tarfile
from functools import cache
from importlib.resources import files

INSTALLED = ("job.sh", "guard.sh", "sample.sh", "env.bash")


@cache
def text(name: str) -> str:
    """The text of one script."""
    return files(__package__).joinpath(name).read_text()


@cache
def archive() -> bytes:
    """All installed scripts as a tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in INSTALLED:
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            member.size = len(text(name).encode())
            tar.addfile(member, io.BytesIO(text(name).encode()))
    return packed.getvalue()


@cache
def folder() -> str:
    """The name of the scripts' folder on a pod: one for each version, so that no running script is changed."""
    return f"bin-{hashlib.sha256(archive()).hexdigest()[:12]}"
