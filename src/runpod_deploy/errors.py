"""Everything that can go wrong, as one tree. Knows words and exit codes; knows no cause.

DeployError                    exit  transient
├─ UsageError, ConfigError        2        ConfigError is a ValueError, too
│              └─ ConfigMissing   2        and this one a FileNotFoundError
├─ StockOut                       3  yes
├─ AuthRefused, BalanceSpent      4
├─ CloudUnreachable               5  yes
│  └─ AnswerUnclear               5  yes   the call may have had its effect: look before calling again
├─ BootTimeout, SshLost           6  yes
├─ StagingFailed, ArtifactMissing 7
├─ RunBusy                        8  yes
├─ ReleaseUnconfirmed             9
├─ SetupFailed, PreflightFailed  20
├─ LimitReached                  21        cost_cap, max_runtime, stalled
└─ PodKilled                     22  yes

Interrupt (not an error: a signal)  130
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

EXIT_INTERNAL = 1
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Kind:
    """What a failure means to a driver: the tool's exit code and whether trying again may help."""

    exit_code: int
    transient: bool = False


KINDS: dict[str, Kind] = {
    "internal": Kind(EXIT_INTERNAL),
    "usage": Kind(2),
    "config": Kind(2),
    "stock_out": Kind(3, transient=True),
    "auth": Kind(4),
    "balance": Kind(4),
    "cloud": Kind(5, transient=True),
    "boot_timeout": Kind(6, transient=True),
    "ssh_lost": Kind(6, transient=True),
    "staging": Kind(7),
    "artifact_missing": Kind(7),
    "busy": Kind(8, transient=True),
    "release_unconfirmed": Kind(9),
    "setup_failed": Kind(20),
    "preflight_failed": Kind(20),
    "job_failed": Kind(20),
    "marker_missing": Kind(20),
    "failure_marker": Kind(20),
    "cost_cap": Kind(21),
    "max_runtime": Kind(21),
    "stalled": Kind(21),
    "pod_killed_unexpected": Kind(22, transient=True),
    "interrupted": Kind(EXIT_INTERRUPTED),
}


class DeployError(RuntimeError):
    """An error of ours: a message that names the thing, a hint that says what to do, a kind.

    It and its kinds are errors of Python's own as well, as far as scripts of old catch those.
    """

    kind = "internal"

    def __init__(self, message: str, *, hint: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if kind:
            self.kind = kind

    @property
    def exit_code(self) -> int:
        """The tool's exit code for this error."""
        return KINDS[self.kind].exit_code

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later."""
        return KINDS[self.kind].transient


class UsageError(DeployError):
    """The command line does not make sense."""

    kind = "usage"


class ConfigError(DeployError, ValueError):
    """The YAML file, or what it names, is wrong. The message may hold several lines, one a mistake."""

    kind = "config"


class ConfigMissing(ConfigError, FileNotFoundError):
    """There is no such file."""


class StockOut(DeployError):
    """No GPU within the limits."""

    kind = "stock_out"


class AuthRefused(DeployError):
    """The API key is missing, unknown, or lacks the right."""

    kind = "auth"


class BalanceSpent(DeployError):
    """The account cannot pay for a pod."""

    kind = "balance"


class CloudUnreachable(DeployError):
    """The API did not answer, or answered what makes no sense."""

    kind = "cloud"


class AnswerUnclear(CloudUnreachable):
    """A call that changes something got no clear answer: it may have had its effect."""


class BootTimeout(DeployError):
    """The pod never answered over SSH."""

    kind = "boot_timeout"


class SshLost(DeployError):
    """The pod runs, says the API, and does not answer over SSH any more."""

    kind = "ssh_lost"
    reason: str = "dropped"
    """`auth`, `host_key`, `not_listening` or `dropped`."""


class StagingFailed(DeployError):
    """Something could not be put on the pod."""

    kind = "staging"


class ArtifactMissing(DeployError):
    """A required artifact could not be brought home."""

    kind = "artifact_missing"


class RunBusy(DeployError):
    """Another process holds this run."""

    kind = "busy"


class ReleaseUnconfirmed(DeployError):
    """A pod may still be billing."""

    kind = "release_unconfirmed"


class SetupFailed(DeployError):
    """A setup command failed or took too long."""

    kind = "setup_failed"


class PreflightFailed(DeployError):
    """A preflight command failed or took too long."""

    kind = "preflight_failed"


class LimitReached(DeployError):
    """Money or time is used up; the kind says which: cost_cap, max_runtime or stalled."""

    kind = "cost_cap"


class PodKilled(DeployError):
    """The pod was ended by somebody else than us."""

    kind = "pod_killed_unexpected"


class Interrupt(BaseException):
    """A signal asked us to end: SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name


OnRetry = Callable[[str, DeployError, float], None]
"""What is tried, why it failed, and in how many seconds it is tried again."""
