"""Every error of the product, as one tree. Knows names and exit codes; knows no cause.

DeployError               exit  transient
├─ UsageError                 2
├─ ConfigError                2       a ValueError, too
│  ├─ ConfigMissing           2       a FileNotFoundError, too
│  └─ SshUnusable             2
├─ ImageRefused               2       no host can start the image
├─ StockOut                   3  yes
├─ AuthRefused                4
├─ BalanceSpent               4
├─ CloudUnreachable           5  yes
│  ├─ EdgeRefused             5  yes  a gateway before the API refused the request: nothing is wrong with the key
│  ├─ OddRow                  5  yes  never raised: a row of a list that was skipped
│  └─ AnswerUnclear           5  yes  the call may have taken effect: look before calling again
├─ BootTimeout                6  yes
├─ SshLost                    6  yes
├─ StagingFailed              7
├─ ArtifactMissing            7
├─ RunBusy                    8  yes
├─ ReleaseUnconfirmed         9
├─ SetupFailed               20
├─ PreflightFailed           20
├─ LimitReached              21       cost_cap, max_runtime, stalled
└─ PodKilled                 22  yes

Interrupt (not an error: a signal)  130
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

EXIT_INTERNAL = 1
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class FailureKind:
    """The meaning of a failure for a driver: the exit code, and whether another try may help."""

    exit_code: int
    transient: bool = False


FAILURE_KINDS: dict[str, FailureKind] = {
    "internal": FailureKind(EXIT_INTERNAL),
    "usage": FailureKind(2),
    "config": FailureKind(2),
    "image": FailureKind(2),
    "stock_out": FailureKind(3, transient=True),
    "auth": FailureKind(4),
    "balance": FailureKind(4),
    "cloud": FailureKind(5, transient=True),
    "boot_timeout": FailureKind(6, transient=True),
    "ssh_lost": FailureKind(6, transient=True),
    "staging": FailureKind(7),
    "artifact_missing": FailureKind(7),
    "busy": FailureKind(8, transient=True),
    "release_unconfirmed": FailureKind(9),
    "setup_failed": FailureKind(20),
    "preflight_failed": FailureKind(20),
    "job_failed": FailureKind(20),
    "marker_missing": FailureKind(20),
    "failure_marker": FailureKind(20),
    "left_running": FailureKind(20),
    "preamble_failed": FailureKind(20),
    "cost_cap": FailureKind(21),
    "max_runtime": FailureKind(21),
    "stalled": FailureKind(21),
    "pod_killed_unexpected": FailureKind(22, transient=True),
    "interrupted": FailureKind(EXIT_INTERRUPTED),
}
"""Every kind of failure by its name, as manifests and events store it."""


def failure_kind(name: str) -> FailureKind:
    """The meaning of a kind; that of a defect for one that this version does not know, as a run folder may hold."""
    return FAILURE_KINDS.get(name, FAILURE_KINDS["internal"])


class DeployError(RuntimeError):
    """An error with a message that names the thing, a hint that says what to do, and a kind.

    Some subclasses are also built-in errors of Python, since older scripts catch those.
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
        return failure_kind(self.kind).exit_code

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later."""
        return failure_kind(self.kind).transient


class UsageError(DeployError):
    """The command line does not make sense."""

    kind = "usage"


class ConfigError(DeployError, ValueError):
    """The YAML file, or something that it names, is wrong. The message has one line for each mistake."""

    kind = "config"


class ConfigMissing(ConfigError, FileNotFoundError):
    """There is no such file."""


class ImageRefused(DeployError):
    """No host can start a container of the image: there is no such image, or its registry refuses us."""

    kind = "image"


class SshUnusable(ConfigError):
    """ssh on this machine does not work: neither waiting nor another pod would help."""


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
    """The API did not answer, or its answer makes no sense."""

    kind = "cloud"


class EdgeRefused(CloudUnreachable):
    """A gateway between here and the API refused the request. It says nothing about the key or the request."""


class OddRow(CloudUnreachable):
    """A row of a list from the API makes no sense and was skipped. It is reported and never raised."""


class AnswerUnclear(CloudUnreachable):
    """A call that changes something got no clear answer: it may have taken effect."""

    likely: DeployError | None = None
    """The error that the answer's text names, if it names one. It holds if a look shows that nothing has happened."""


class BootTimeout(DeployError):
    """The pod never answered over SSH."""

    kind = "boot_timeout"


class SshLost(DeployError):
    """The pod runs, according to the API, but it no longer answers over SSH."""

    kind = "ssh_lost"
    reason: str = "dropped"
    """`auth`, `host_key`, `not_listening` or `dropped`."""
    runs: bool = False
    """Whether the API has just said that the pod runs."""


class StagingFailed(DeployError):
    """Something could not be put on the pod."""

    kind = "staging"


class ArtifactMissing(DeployError):
    """A required artifact could not be pulled."""

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
    """The pod was ended from outside, not by this run."""

    kind = "pod_killed_unexpected"


class Interrupt(BaseException):
    """A signal asked this process to end: SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, signal_name: str) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name


OnRetry = Callable[[str, DeployError, float], None]
"""Receives what failed, the error, and the seconds until the next try."""
