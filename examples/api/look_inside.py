"""Runs a command on a preserved pod: `look_inside.py RUN_DIR COMMAND [--delete]`; `--delete` then ends the pod."""

from __future__ import annotations

import sys
from pathlib import Path

from runpod_deploy import PodConnection, RemoteRunner, cleanup_pod, load_events


def main() -> int:
    """Returns the exit code of the command."""
    run_dir, command = Path(sys.argv[1]), sys.argv[2]
    pod = where(run_dir)
    runner = RemoteRunner(pod.host, pod.port, run_dir / "ssh" / "key")
    exit_code = runner.ssh_stream(command)
    if "--delete" in sys.argv:
        cleanup_pod(pod.pod_id, action="delete", dry_run=False)
        print(f"pod {pod.pod_id} is gone")
    return exit_code


def where(run_dir: Path) -> PodConnection:
    """The address at which the run last reached its pod."""
    reached = next(row for row in reversed(load_events(run_dir)) if row["event"] == "pod_reachable")
    return PodConnection(reached["pod_id"], reached["host"], reached["port"], reached["gpu_id"])


if __name__ == "__main__":
    sys.exit(main())
