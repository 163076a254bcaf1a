"""The shell scripts that work on the pod, as bytes and as one archive. Knows their names, not their meaning."""

from __future__ import annotations

import hashlib
import io
import tarfile
from functools import cache
from importlib.resources import files

INSTALLED = ("job.sh", "guard.sh", "sample.sh", "env.bash")


@cache
def text(name: str) -> str:
    """One script."""
    return files(__package__).joinpath(name).read_text()


@cache
def archive() -> bytes:
    """All installed scripts as a tar."""
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
    """Name of the folder of these very scripts on a pod: another version's must not change under a running one."""
    return f"bin-{hashlib.sha256(archive()).hexdigest()[:12]}"
