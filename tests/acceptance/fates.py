"""What can become of a run, and how to bring it about. Knows configs, faults and signals; judges nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.harness import WORK, Simulator, Tool, job

Fault = dict[str, Any]
POST, DELETE = "POST /v2/pods", "DELETE /v2/pods/{id}"
WITHIN_S = 240.0


@dataclass(frozen=True)
class Stage:
    """Where one fate is played."""

    sim: Simulator
    folder: Path
    """The project of its own."""
    run_id: str
    """What to call the run whose faults must strike nobody else."""


@dataclass(frozen=True)
class Lived:
    """One run, as who drove it saw it: what no record was asked for."""

    run_dir: Path
    fate: str
    code: int | None
    """The last exit code; None if the driver was killed and nobody came after it."""
    outcome: str | None
    """None if it has not ended."""
    kind: str | None


@dataclass(frozen=True)
class Fate:
    """One thing that can become of a run."""

    name: str
    outcome: str | None = "succeeded"
    code: int | None = 0
    kind: str | None = None
    body: str = WORK + "echo DONE\n"
    sections: dict[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    deed: Callable[[Fate, Stage], list[Lived]] = lambda fate, stage: straight(fate, stage)
    runs: int = 1
    """How many runs come of it."""
    slow: bool = False
    """It takes longer than a suite can wait."""

    def play(self, stage: Stage) -> list[Lived]:
        """The runs that came of it."""
        for fault in self.faults:
            stage.sim.fault(**fault, name=stage.run_id)
        return self.deed(self, stage)

    def lived(self, run_dir: Path | None, code: int | None) -> Lived:
        """A run that ended as this fate says it should."""
        assert run_dir is not None, self.name
        return Lived(run_dir, self.name, code, self.outcome, self.kind)

    def started(self, stage: Stage, *more: str) -> Tool:
        """The run has begun; under an id if faults are meant for it, else under one of the tool's own."""
        config = job(stage.folder, body=self.body, **self.sections)
        named = ("--run-id", stage.run_id) if self.faults else ()
        words = ("run", "--config", str(config), "--print-run-dir", *named, *self.args, *more)
        return Tool(stage.sim, *words, env=self.env)


def straight(fate: Fate, stage: Stage) -> list[Lived]:
    """From beginning to end."""
    ended = fate.started(stage).end(WITHIN_S)
    return [fate.lived(ended.run_dir, ended.code)]


def launched(row: dict[str, Any]) -> bool:
    """Whether the job runs."""
    return bool(row["event"] == "job_launched")


def killed(fate: Fate, stage: Stage) -> list[Lived]:
    """The driver is killed while the job runs, and nobody comes after it: the guard ends the pod."""
    tool = fate.started(stage)
    tool.await_event(launched, WITHIN_S)
    kill(tool)
    return [fate.lived(tool.run_dir, None)]


def kill(tool: Tool) -> None:
    """No process of the driver is left."""
    tool.signal(signal.SIGKILL)
    tool.process.communicate()


def killed_early(fate: Fate, stage: Stage) -> list[Lived]:
    """The driver is killed before there is a pod; then somebody goes on."""
    tool = fate.started(stage)
    tool.await_event(lambda row: row["event"] == "phase_started", WITHIN_S)
    kill(tool)
    return resumed(fate, stage, tool)


def killed_twice(fate: Fate, stage: Stage) -> list[Lived]:
    """The driver is killed while the pod boots, again while the job runs, and then left in peace."""
    tool = fate.started(stage)
    tool.await_event(lambda row: row["event"] == "pod_created", WITHIN_S)
    kill(tool)
    again = Tool(stage.sim, "resume", str(tool.run_dir))
    again.first = tool.first
    again.await_event(launched, WITHIN_S)
    kill(again)
    return resumed(fate, stage, tool)


def resumed(fate: Fate, stage: Stage, tool: Tool) -> list[Lived]:
    """Somebody goes on to the end."""
    return [fate.lived(tool.run_dir, Tool(stage.sim, "resume", str(tool.run_dir)).end(WITHIN_S).code)]


def interrupted(fate: Fate, stage: Stage) -> list[Lived]:
    """Ctrl-C while the job runs."""
    tool = fate.started(stage)
    tool.await_event(launched, WITHIN_S)
    tool.signal(signal.SIGINT)
    return [fate.lived(tool.run_dir, tool.end(WITHIN_S).code)]


def detached(fate: Fate, stage: Stage) -> list[Lived]:
    """Left on purpose; nobody comes back."""
    ended = fate.started(stage, "--detach", "--leave-to-guard").end(WITHIN_S)
    return [fate.lived(ended.run_dir, ended.code)]


def attached(fate: Fate, stage: Stage) -> list[Lived]:
    """Left on purpose, and followed again."""
    left = fate.started(stage, "--detach", "--leave-to-guard").end(WITHIN_S)
    return [fate.lived(left.run_dir, Tool(stage.sim, "attach", str(left.run_dir)).end(WITHIN_S).code)]


def cut_off(fate: Fate, stage: Stage) -> list[Lived]:
    """The connection is cut once."""
    tool = fate.started(stage)
    pod_id = tool.await_event(launched, WITHIN_S)["pod_id"]
    stage.sim.control("POST", f"pods/{pod_id}/drop-ssh")
    return [fate.lived(tool.run_dir, tool.end(WITHIN_S).code)]


def recycled(fate: Fate, stage: Stage) -> list[Lived]:
    """Three runs of one pod, one after the other; the last gives it up for a fresh one."""
    first, second = fate.started(stage).end(WITHIN_S), fate.started(stage).end(WITHIN_S)
    third = fate.started(stage, "--force-fresh", "--on-success", "delete").end(WITHIN_S)
    return [fate.lived(ended.run_dir, ended.code) for ended in (first, second, third)]


DEAR = {"gpu_order": ["SIM 3600"], "datacenters": ["EU-SE-1"]}
"""A dollar a second."""
WORKING = WORK + "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.5; done\n"
LONG = WORK + "sleep 600\n"
GONE = {"lifecycle": {"on_failure": "delete"}}
SHORT = {"ssh_ready_timeout_sec": 8, "ssh_lost_timeout_sec": 8, "pull_grace_sec": 2, "cost_cap_usd": 5.0}
NOWHERE = "http://127.0.0.1:9"
RECYCLING = {"lifecycle": {"on_success": "recycle"}, "state_file": "{config_dir}/pod.json"}
TORN_SCRIPT = {"setup": [{"command": "echo no such package; exit 100"}]}


def dear(cap_usd: float) -> dict[str, Any]:
    """A job that costs a dollar a second, for so long at most, and whose guard does not wait long."""
    budget = {"cost_cap_usd": cap_usd, "assumed_hourly_rate_usd": 1.0, "max_runtime_minutes": 60, "pull_grace_sec": 2}
    return {"pod": DEAR, "budget": budget, **GONE}


FATES = (
    Fate("plain"),
    Fate("marked", sections={"run": {"success_marker": "DONE"}, "setup": [{"command": "true"}]}),
    Fate("dear", body=WORKING, sections=dear(60.0)),
    Fate("stopped", args=("--on-success", "stop")),
    Fate("preserved", args=("--on-success", "preserve")),
    Fate("recycled", deed=recycled, sections=RECYCLING, runs=3),
    Fate("second-choice", faults=({"where": POST, "what": "no-stock", "datacenter": "EU-SE-1"},)),
    Fate("answer-lost", faults=({"where": POST, "what": "effect-then-500"},)),
    Fate("cut-off", deed=cut_off, body=WORKING),
    Fate("delete-late", faults=({"where": DELETE, "what": "delete-ignored", "times": 2},)),
    Fate("killed-early", deed=killed_early),
    Fate("killed-twice", deed=killed_twice, body=WORKING),
    Fate("attached", deed=attached, body=WORKING),
    Fate("job-failed", "job_failed", 20, "job_failed", body=WORK + "exit 3\n"),
    Fate("job-failed-gone", "job_failed", 20, "job_failed", body="exit 1\n", sections=GONE),
    Fate("unmarked", "job_failed", 20, "marker_missing", sections={"run": {"success_marker": "NEVER"}}),
    Fate(
        *("bad-marker", "job_failed", 20, "failure_marker"),
        body="echo LOSS IS NAN\nsleep 600\n",
        sections={"run": {"failure_markers": ["LOSS IS NAN"]}, **GONE},
    ),
    Fate("setup-failed", "failed", 20, "setup_failed", sections={**TORN_SCRIPT, **GONE}),
    Fate("preflight-failed", "failed", 20, "preflight_failed", sections={"preflight": [{"command": "false"}]}),
    Fate(
        *("staging-failed", "failed", 7, "staging"),
        sections={"staging": [{"label": "x", "source": ".", "destination": "/proc/nowhere"}], **GONE},
    ),
    Fate("artifact-missing", "failed", 7, "artifact_missing", body="echo nothing to show\n"),
    Fate("sold-out", "failed", 3, "stock_out", faults=({"where": POST, "what": "no-stock"},)),
    Fate("key-refused", "failed", 4, "auth", env={"RUNPOD_API_KEY": "rpa_wrong"}),
    Fate("broke", "failed", 4, "balance", faults=({"where": POST, "what": "refuse", "status": 402, "times": 0},)),
    Fate("cap", "stopped", 21, "cost_cap", body=LONG, sections=dear(5.0)),
    Fate("host-lost", "failed", 22, "pod_killed_unexpected", body=LONG, faults=({"what": "pod-dies", "after_s": 4},)),
    Fate(
        *("stopped-by-others", "failed", 22, "pod_killed_unexpected"),
        body=LONG,
        faults=({"what": "pod-dies", "after_s": 4, "as": "exited"},),
        sections=GONE,
    ),
    Fate("interrupted", "interrupted", 130, "interrupted", deed=interrupted, body=LONG),
    Fate("left", None, None, deed=killed, body=LONG, sections=dear(8.0)),
    Fate("detached", None, 0, deed=detached, body=LONG, sections=dear(8.0)),
    Fate(
        *("deaf", "failed", 6, "boot_timeout"),
        faults=({"what": "never-running", "times": 0},),
        sections={"budget": SHORT, **GONE},
        slow=True,
    ),
    Fate("second-pod", faults=({"what": "never-running"},), sections={"budget": SHORT}, slow=True),
    Fate(
        *("stranger", None, 6),
        deed=cut_off,
        body=LONG,
        faults=({"what": "other-host-key", "connections": 1, "times": 0},),
        sections={**dear(20.0), "budget": {**dear(20.0)["budget"], "ssh_lost_timeout_sec": 8}},
        slow=True,
    ),
    Fate("no-api", "failed", 5, "cloud", env={"RUNPOD_API_BASE_URL": NOWHERE}, slow=True),
    Fate(
        *("not-released", "unreleased", 9, "release_unconfirmed"),
        faults=({"where": DELETE, "what": "delete-ignored", "times": 0},),
        slow=True,
    ),
    Fate(
        *("time", "stopped", 21, "max_runtime"), body=LONG, sections={"budget": {"max_runtime_minutes": 1}}, slow=True
    ),
    Fate("silent", "stopped", 21, "stalled", body=LONG, sections={"run": {"stall_timeout_minutes": 1}}, slow=True),
)
QUICK = tuple(fate for fate in FATES if not fate.slow)
AT_ONCE = max(2, (os.cpu_count() or 2) * 2)
