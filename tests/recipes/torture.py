"""Sweeps that are killed, doubled, moved to another machine, and starved of money, on the simulator.

kill: the driver is killed several times (SIGKILL) on its way, and the same command goes on. two: the same command is
given twice at once. lost: the machine of the driver disappears with all its processes, and another one goes on in the
same project folder. cap: the total ends in the middle. halt: no delete is confirmed from the third on, so runs end with
9. Some seeds lose their first pod. The cloud's own ledger is the judge.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.workshop import COMMANDS_DIR, REPOSITORY

RECIPES = REPOSITORY / "recipes"
CAP_USD, PLENTY_USD = 60, 1_000_000
# A dollar a second, so that money is soon spent. A seed that ends with 3 loses the host of its first pod.
CONFIG = """\
schema_version: 2
name: torture
variables: {{seed: "0", lr: "0.1"}}
pod: {{image: "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404", gpu_order: [SIM 3600], datacenters: [EU-SE-1]}}
storage: {{mode: ephemeral, volume_gb: 5}}
budget: {{cost_cap_usd: {cap}, assumed_hourly_rate_usd: 3600, max_runtime_minutes: 1}}
secrets: [{{name: simulator, env: [RUNPOD_SIM_TOKEN], destination: /root/simulator.env}}]
run:
  script_path: /workspace/job.sh
  log_path: /workspace/job.log
  body: |
    case {{run_id}} in sw-*3 | *3.1)
    python3 -c '
    import os, urllib.request as web
    url = os.environ["RUNPOD_API_BASE_URL"] + "/_sim/pods/" + os.environ["RUNPOD_POD_ID"] + "/kill"
    head = {{"Authorization": "Bearer " + os.environ["RUNPOD_SIM_TOKEN"]}}
    web.urlopen(web.Request(url, data=b"", headers=head, method="POST"))' && sleep 60 ;;
    esac
    sleep 1
    echo '{{"loss": 0.5}}' >/workspace/metrics.json
artifacts:
  - {{label: metrics, remote_path: /workspace/metrics.json, local_path: "{{run_dir}}/metrics.json", metrics: true}}
"""
LEDGER_LOOP = "LOGS=sw AT_ONCE=3 CAP_USD={cap} TOTAL_CAP_USD={total} RETRY_AFTER_S=0"


@dataclass(frozen=True)
class Recipe:
    """A recipe as a shell command; `seeds`, `count`, `total`, `cap`, `db` and `machine` are filled in."""

    command: str
    files: tuple[str, ...]
    machines: bool = False
    """Whether another machine may go on with it, and two may work at once."""
    resumed_by: str = ""
    """What its user must do after a kill before the same command."""


DURABLE = "{python} durable.py sw c.yaml {seeds}"
SEARCH = "{python} search.py sw c.yaml --trials {count} --storage {db} --machine {machine}"
CAPS = " --at-once 3 --cap-usd {cap} --total-cap-usd {total}"
LITE = "sqlite:///sweep.db"
SNAKEMAKE = (
    "snakemake --cores 1 --resources runs=3 --keep-going --rerun-incomplete --quiet all "
    "--config job=c.yaml dir=sw ledger=ledger.py cap_usd={cap} total_cap_usd={total} seeds='{seeds}'"
)
RECIPE = {
    "bash": Recipe(f"{LEDGER_LOOP} ./parallel.sh c.yaml {{seeds}}", ("sweep/parallel.sh", "sweep/ledger.py")),
    "make": Recipe(
        f"{LEDGER_LOOP.replace('LOGS', 'DIR')} make sweep CONFIG=c.yaml SEEDS='{{seeds}}'",
        ("sweep/Makefile", "sweep/ledger.py"),
    ),
    "python": Recipe(
        "python3 sweep.py c.yaml {seeds} --logs sw --retry-after-s 0" + CAPS, ("sweep/sweep.py", "sweep/ledger.py")
    ),
    "snakemake": Recipe(SNAKEMAKE, ("sweep-snakemake/Snakefile", "sweep/ledger.py"), resumed_by="snakemake --unlock"),
    "optuna-sqlite": Recipe((SEARCH + CAPS).replace("{db}", LITE), ("sweep-optuna/search.py",), machines=True),
    "optuna-postgres": Recipe(SEARCH + CAPS, ("sweep-optuna/search.py",), machines=True),
    "durable-sqlite": Recipe(DURABLE + CAPS, ("sweep-durable/durable.py", "sweep/ledger.py"), machines=True),
    "durable-postgres": Recipe(
        DURABLE + " --db {db}" + CAPS, ("sweep-durable/durable.py", "sweep/ledger.py"), machines=True
    ),
}
TORTURES = ("kill", "two", "lost", "cap", "halt")


@dataclass(frozen=True)
class Outcome:
    """What the cloud and the runs tell after a sweep."""

    pods: int
    ideal: int
    left: int
    finished: int
    twice: int
    billed_usd: float
    total_usd: float

    def broken(self, what: str, seeds: int) -> list[str]:
        """The promises that were not kept."""
        wrong = ["more than the total"] if self.billed_usd > self.total_usd else []
        wrong += ["finished twice"] if self.twice else []
        wrong += ["pods left"] if self.left and what != "halt" else []
        if what in ("kill", "two", "lost"):
            wrong += [f"{self.finished} of {seeds} finished"] if self.finished != seeds else []
            wrong += [f"{self.pods} pods instead of {self.ideal}"] if self.pods != self.ideal else []
        if what in ("halt", "cap") and self.finished == seeds:
            wrong += ["nothing was held back"]
        return wrong


class Torture:
    """One sweep in a folder of its own; runs inside `runpod-sim exec`."""

    def __init__(self, recipe: Recipe, folder: Path, seeds: int, kills: int) -> None:
        self.recipe, self.folder, self.seeds, self.kills = recipe, folder, seeds, kills

    def start(self, total: float, machine: str = "a") -> subprocess.Popen[bytes]:
        """The driver, in its own process group. The machines differ in their homes and share the project."""
        seeds = " ".join(str(seed) for seed in range(1, self.seeds + 1))
        db = os.environ.get("TORTURE_DB", LITE)
        db = db if "search.py" in self.recipe.files[0] else db.replace("+psycopg", "")  # SQLAlchemy's way to name it
        fill: dict[str, Any] = {"seeds": seeds, "count": self.seeds, "db": db, "machine": machine}
        command = self.recipe.command.format(**fill, cap=CAP_USD, total=total, python=sys.executable)
        home = self.folder / f"home-{machine}"
        home.mkdir(exist_ok=True)
        env = {**os.environ, "HOME": str(home), "MACHINE": f"{machine}{self.folder}"}
        with (self.folder / "printed").open("ab") as out:
            return subprocess.Popen(
                command,
                shell=True,
                cwd=self.folder,
                env={**env, "BEAT_S": "1", "RETRY_AFTER_S": "0"},
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def jobs(self) -> int:
        """How many jobs have been launched."""
        journals = self.folder.glob("artifacts/runpod/*/events.jsonl")
        return sum('"event": "job_launched"' in path.read_text() for path in journals)

    def until(self, jobs: int, driver: subprocess.Popen[bytes]) -> None:
        """So many jobs have been launched, or the driver has ended."""
        while self.jobs() < jobs and driver.poll() is None:
            time.sleep(0.2)

    def again(self) -> None:
        """What a user does before the same command."""
        if self.recipe.resumed_by:
            subprocess.run(self.recipe.resumed_by, shell=True, cwd=self.folder, capture_output=True, check=False)

    def kill(self) -> None:
        """The driver is killed on its way, several times; its runs live on."""
        for number in range(1, self.kills + 1):
            driver = self.start(PLENTY_USD)
            self.until(number * self.seeds // (self.kills + 1), driver)
            os.killpg(driver.pid, signal.SIGKILL)
            driver.wait()
            self.again()
        self.start(PLENTY_USD).wait()

    def two(self) -> None:
        """The same command twice at once, on two machines if the recipe knows more than one."""
        drivers = [self.start(PLENTY_USD, name) for name in ("ab" if self.recipe.machines else "aa")]
        for driver in drivers:
            driver.wait()

    def lost(self) -> None:
        """The first machine disappears, and the second goes on."""
        driver = self.start(PLENTY_USD)
        self.until(max(2, self.seeds // 3), driver)
        end_machine(f"MACHINE=a{self.folder}")
        driver.wait()
        self.again()
        self.start(PLENTY_USD, "b").wait()

    def cap(self) -> None:
        """The total is too small for all seeds; the command is given twice, one after the other."""
        for _ in range(2):
            self.start(CAP_USD + 4 * self.seeds).wait()

    def halt(self) -> None:
        """The sweep ends early."""
        self.start(PLENTY_USD).wait()


def end_machine(mark: str) -> None:
    """Every process with this in its environment is killed at the same time, as by a power cut."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)
        except OSError:
            continue


def torture(name: str, what: str, seeds: int, kills: int = 5, db: str = LITE) -> Outcome:
    """The outcome of one sweep, on a simulated cloud of its own. With fewer than three seeds, no pod is lost."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        for file in RECIPE[name].files:
            shutil.copy(RECIPES / file, folder)
        (folder / "c.yaml").write_text(CONFIG.format(cap=CAP_USD))
        inside = [sys.executable, "-m", "tests.recipes.torture", scratch, name, what, str(seeds), str(kills)]
        fault = {"where": "DELETE /v2/pods/{id}", "what": "delete-ignored", "nth": 3, "times": 0}
        faults = ["--fault", json.dumps(fault)] if what == "halt" else []
        sim = [str(COMMANDS_DIR / "runpod-sim"), "exec", "--ledger", str(folder / "ledger.json"), *faults, "--"]
        env = {**os.environ, "PATH": f"{COMMANDS_DIR}{os.pathsep}{os.environ['PATH']}", "TORTURE_DB": db}
        subprocess.run([*sim, *inside], env=env, cwd=REPOSITORY, check=False)
        if os.environ.get("SHOW"):
            print((folder / "printed").read_text(), file=sys.stderr)
        total = CAP_USD + 4 * seeds if what == "cap" else PLENTY_USD
        return outcome(folder, seeds, total, search="optuna" in name)


def outcome(folder: Path, seeds: int, total_usd: float, *, search: bool) -> Outcome:
    """The figures, from the ledger of the cloud and the manifests of the runs."""
    ledger = json.loads((folder / "ledger.json").read_text())
    wins: Counter[str] = Counter()
    for path in folder.glob("artifacts/runpod/*/runpod_deploy_pull_manifest.json"):
        manifest = json.loads(path.read_text())
        wins[manifest["run_id"].partition(".")[0]] += manifest["job_exit_code"] == 0 and manifest["outcome"] is not None
    ideal = seeds + sum(str(seed).endswith("3") for seed in range(1, seeds + 1))
    if search:  # a second try has the next number, which may end with 3, too
        ideal = next(most for most in range(seeds, 2 * seeds) if most - sum(n % 10 == 3 for n in range(most)) == seeds)
    return Outcome(
        pods=ledger["pods_created"],
        ideal=ideal,
        left=ledger["pods_left"],
        finished=sum(count > 0 for count in wins.values()),
        twice=sum(count > 1 for count in wins.values()),
        billed_usd=ledger["billed_usd"],
        total_usd=total_usd,
    )


if __name__ == "__main__":  # inside `runpod-sim exec`
    _, scratch, name, what, seeds, kills = sys.argv
    getattr(Torture(RECIPE[name], Path(scratch).resolve(), int(seeds), int(kills)), what)()
