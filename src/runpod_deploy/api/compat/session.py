"""Events, samples and snapshots of a pod that a script works on by itself. A run records its own, on the pod itself."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...live import connect_cloud
from ...machine.clock import SystemClock
from ...machine.limits import FRAME_SAMPLE_BYTES
from ...pod import scripts
from ...record.paths import EVENTS_NAME, METRICS_NAME
from ...spec import TelemetrySpec
from ...spec.strict_json import dumps, loads
from .remote import RemoteRunner
from .runpodctl import pod_row

logger = logging.getLogger("runpod_deploy.telemetry")
ANSWERS_WITHIN_S = 30.0
ENDS_WITHIN_S = 10.0
HEALTHY = ("RUNNING", "EXITED")


@dataclass(slots=True)
class TelemetrySession:
    """The records of one pod in run_dir. No method raises for a pod that does not answer: the log has a warning."""

    run_dir: Path
    runner: RemoteRunner
    spec: TelemetrySpec
    pod_id: str
    assumed_hourly_rate_usd: float
    dry_run: bool = False
    gpu_price_per_hour_usd: float | None = None
    gpu_price_source: str | None = None
    pod_final_state: str | None = None
    _files: list[Path] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)
    _sampler: threading.Thread | None = None

    @property
    def files_written(self) -> list[Path]:
        """The files of this session."""
        return list(self._files)

    @property
    def _off(self) -> bool:
        return self.dry_run or not self.spec.enabled

    def emit_event(self, event: str, **fields: object) -> None:
        """events.jsonl has the event."""
        if not self._off:
            self._append(EVENTS_NAME, {"ts_utc": now(), "event": event, **fields})

    def capture_start(self) -> None:
        """The snapshots of the pod before its work are in run_dir, and the price is known."""
        if self._off:
            return
        if self.spec.capture_nvidia_smi:
            self._keep("nvidia_smi_start.txt", self._said("nvidia-smi"))
        if self.spec.capture_pod_describe:
            cost = self._described("pod_describe_start.json").get("costPerHr")
            self.gpu_price_per_hour_usd = cost or self.assumed_hourly_rate_usd
            self.gpu_price_source = "pod_describe" if cost else "assumed_rate"
        if self.spec.capture_remote_env:
            facts = {"remote_uname": self._said("uname -a"), "remote_python_version": self._said("python3 --version")}
            self._keep("remote_env.json", dumps({key: (text or "").strip() for key, text in facts.items()}, indent=2))
            self._keep("pip_freeze.txt", self._said("pip freeze || python3 -m pip freeze"))

    def start_sampling(self) -> None:
        """metrics.jsonl gets a row now and at each interval, until `stop_sampling`."""
        if not self._off and self._sampler is None:
            self._end.clear()
            self._sampler = threading.Thread(target=self._sample, name="runpod-deploy-telemetry", daemon=True)
            self._sampler.start()

    def stop_sampling(self) -> None:
        """No more rows are written, unless the pod does not answer for a long time."""
        if self._sampler is not None:
            self._end.set()
            self._sampler.join(timeout=ENDS_WITHIN_S)
            self._sampler = None

    def capture_end(self) -> None:
        """The snapshots of the pod after its work are in run_dir, and its state is known."""
        if self._off:
            return
        if self.spec.capture_nvidia_smi:
            self._keep("nvidia_smi_end.txt", self._said("nvidia-smi"))
        if self.spec.capture_pod_describe:
            self.pod_final_state = self._described("pod_describe_end.json").get("desiredStatus")
            if self.pod_final_state not in (None, *HEALTHY):
                note = "the pod neither runs nor is stopped"
                self.emit_event("pod_killed_unexpected", state=self.pod_final_state, note=note)
        if self.spec.capture_dmesg:
            self._keep("dmesg_tail.txt", self._said("dmesg | tail -n 200"))

    def _sample(self) -> None:
        while True:
            self._append(METRICS_NAME, {"ts_utc": now(), **sample_of(self._said(scripts.program("sample.sh")) or "{}")})
            if self._end.wait(self.spec.sample_interval_sec):
                return

    def _said(self, command: str) -> str | None:
        try:
            done = self.runner.ssh_exec(command, timeout_sec=ANSWERS_WITHIN_S, check=False)
        except (RuntimeError, OSError) as error:
            logger.warning("the pod did not answer: %s", error)
            return None
        return None if done.returncode else done.stdout

    def _described(self, name: str) -> dict[str, Any]:
        try:
            pod = connect_cloud().get(self.pod_id)
        except RuntimeError as error:
            logger.warning("the pod could not be described: %s", error)
            return {}
        row = pod_row(pod) if pod else {}
        self._keep(name, dumps(row, indent=2) if row else None)
        return row

    def _keep(self, name: str, text: str | None) -> None:
        if text is not None:
            self._write(name, text, "w")

    def _append(self, name: str, row: dict[str, Any]) -> None:
        self._write(name, json.dumps(row) + "\n", "a")

    def _write(self, name: str, text: str, mode: str) -> None:
        path = self.run_dir / name
        try:
            self.run_dir.mkdir(parents=True, exist_ok=True)
            with path.open(mode, encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            logger.warning("%s cannot be written: %s", path, error.strerror)
            return
        if path not in self._files:
            self._files.append(path)


def sample_of(said: str) -> dict[str, Any]:
    """The values in the pod's answer; none if it is no JSON object within the bounds of a sample."""
    with suppress(ValueError):
        if len(said) <= FRAME_SAMPLE_BYTES and isinstance(row := loads(said), dict):
            return row
    return {}


def now() -> str:
    """The present instant as ISO text."""
    return SystemClock().now().isoformat()


def start_session(
    *,
    run_dir: Path,
    runner: RemoteRunner,
    spec: TelemetrySpec,
    pod_id: str,
    assumed_hourly_rate_usd: float,
    dry_run: bool = False,
) -> TelemetrySession:
    """A session that has recorded nothing yet."""
    return TelemetrySession(run_dir, runner, spec, pod_id, assumed_hourly_rate_usd, dry_run)
