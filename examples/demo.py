"""The script behind `make demo`: it runs one job end to end on the simulated cloud, and shows the results and the bill.

Knows the two commands and the files of a run; imports neither package, like a user's own script.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONFIG = Path("examples/digits/digits.yaml")
SEED = 7
MANIFEST = "runpod_deploy_pull_manifest.json"


def main() -> int:
    """Returns the exit code of the rehearsed run."""
    with tempfile.TemporaryDirectory() as scratch:
        ledger_path = Path(scratch) / "ledger.json"
        exit_code, run_dir = rehearse(ledger_path)
        if run_dir is not None and (run_dir / MANIFEST).exists():
            show_run(run_dir)
        if ledger_path.exists():
            show_ledger(read_json(ledger_path))
    print(f"\nexit code {exit_code}")
    return exit_code


def rehearse(ledger_path: Path) -> tuple[int, Path | None]:
    """Exit code and run dir of one run on a simulated cloud, which is ended afterwards."""
    run = ["runpod-deploy", "run", "--config", str(CONFIG), "--var", f"seed={SEED}", "--print-run-dir"]
    command = ["runpod-sim", "exec", "--strict", "--ledger", str(ledger_path), "--", *run]
    print(f"$ {' '.join(command)}", flush=True)
    run_dir = None
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            if line.startswith("RUN_DIR="):
                run_dir = Path(line.removeprefix("RUN_DIR=").rstrip("\n"))
    return process.returncode, run_dir


def environment() -> dict[str, str]:
    """The environment of this process, with the folder of this interpreter first in PATH."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def show_run(run_dir: Path) -> None:
    """Prints the downloaded artifacts, and then the manifest."""
    manifest = read_json(run_dir / MANIFEST)
    heading("Downloaded")
    for artifact in manifest["artifacts"]:
        print(f"  {artifact['label']:<12} {artifact['status'] or 'not pulled'}")
    metrics_path = ROOT / CONFIG.parent / "results" / manifest["run_id"] / "metrics.json"
    if metrics_path.exists():
        metrics = read_json(metrics_path)
        print(f"  accuracy     {metrics['accuracy']:.4f} on {metrics['test_rows']} images held out")
    show_manifest(manifest, run_dir)


def show_manifest(manifest: dict[str, Any], run_dir: Path) -> None:
    """Prints the most important lines of the manifest."""
    heading("Manifest")
    for key in (
        "run_id",
        "outcome",
        "gpu_id",
        "datacenter_id",
        "wall_time_sec",
        "estimated_cost_usd",
        "cost_cap_usd",
    ):
        print(f"  {key:<20} {manifest.get(key)}")
    for phase in manifest.get("phases", ()):
        print(f"  phase {phase['name']:<14} {phase['duration_sec'] or 0:.2f} s")
    print(f"  whole file: {run_dir / MANIFEST}")


def show_ledger(ledger: dict[str, Any]) -> None:
    """Prints the bill of the simulated cloud: pods created, pods left, money."""
    heading("Ledger of the simulated cloud")
    for key in ("pods_created", "pods_left", "billed_usd"):
        print(f"  {key:<20} {ledger[key]}")


def heading(text: str) -> None:
    """Prints an empty line and the text."""
    print(f"\n{text}")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in the file."""
    content: dict[str, Any] = json.loads(path.read_text())
    return content


if __name__ == "__main__":
    sys.exit(main())
