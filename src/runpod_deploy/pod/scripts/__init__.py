"""The shell scripts that run on the pod, as text and as one archive. Knows their names only.

A program is one text, so that it runs from memory: a job that removes every file does not harm it.
"""

from __future__ import annotations

import hashlib
import io
import shlex
import tarfile
from functools import cache
from importlib.resources import files

PROGRAMS = {
    "job.sh": ("processes.sh", "background.sh", "job.sh"),
    "follow.sh": ("processes.sh", "follow.sh"),
    "guard.sh": ("processes.sh", "api.sh", "terms.sh", "guard.sh"),
    "sample.sh": ("sample.sh",),
    "env.bash": ("env.bash",),
}
"""The installed programs, and the files that each is put together from."""


@cache
def text(name: str) -> str:
    """The text of one file."""
    return files(__package__).joinpath(name).read_text()


@cache
def program(name: str) -> str:
    """The text of one program. The guard's has the text of its keeper in a variable."""
    keeper = f"keeper_awk={shlex.quote(text('keeper.awk'))}\n" if name == "guard.sh" else ""
    return keeper + "".join(text(part) for part in PROGRAMS[name])


@cache
def archive() -> bytes:
    """All programs as a tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in PROGRAMS:
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            member.size = len(program(name).encode())
            tar.addfile(member, io.BytesIO(program(name).encode()))
    return packed.getvalue()


@cache
def folder() -> str:
    """The name of the programs' folder on a pod: one for each version, so that no running program is changed."""
    return f"bin-{hashlib.sha256(archive()).hexdigest()[:12]}"
