"""The phases of a run: each looks, acts and records, and running it twice is the same as running it once."""

from .check import check
from .choose import choose
from .collect import collect
from .commands import preflight, setup
from .connect import connect
from .paused import reopen
from .provision import provision
from .release import release
from .stage import launch, secrets, stage
from .watch import watch

__all__ = [
    "check",
    "choose",
    "collect",
    "connect",
    "launch",
    "preflight",
    "provision",
    "release",
    "reopen",
    "secrets",
    "setup",
    "stage",
    "watch",
]
