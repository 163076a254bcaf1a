"""`python -m tests.storm.sabotage`: is each safeguard of the product missed by the storm when it is taken out?

Each sabotage changes a copy of the product by one replacement of text. The storm must find it: the seed and the
invariant are printed. Knows the text of the product; changes nothing in it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import runpod_deploy

SOURCE = Path(runpod_deploy.__file__).parent
TESTS = Path(__file__).parents[1]
SHM = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Sabotage:
    """A safeguard, and the changes of text that take it out."""

    safeguard: str
    module: str
    changes: tuple[tuple[str, str], ...]


SABOTAGES = (
    Sabotage(
        "look before create",
        "phases/provision.py",
        (
            ("if run.state.request.pending and adopt(", "if False and adopt("),
            ("return adopt(run, candidate, late.CREATE_TAKES_S) or None", "return None"),
        ),
    ),
    Sabotage("write-ahead", "phases/provision.py", (("    record_intent(run, intent)\n", "    del intent\n"),)),
    Sabotage(
        "token check",
        "cloud/pod_labels.py",
        (
            ("return token_of(pod) == token if token else", "return pod.name == name if token else"),
            ('return token_of(pod) not in ("", token)', "return False"),
        ),
    ),
    Sabotage(
        "confirmed delete",
        "cloud/removal.py",
        (("            pod = cloud.get(pod_id)\n", "            return (None,)\n"),),
    ),
    Sabotage(
        "held signals",
        "machine/signals.py",
        (
            (
                "earlier, self._raise_from = self._raise_from, 2 if unless_repeated else NEVER",
                "earlier = self._raise_from",
            ),
        ),
    ),
    Sabotage(
        "re-arming of a guard that the job has killed",
        "phases/notices.py",
        (("    if deadline is not None:\n", "    if deadline is None:\n"),),
    ),
    Sabotage(
        "re-arming of a pod that is started again",
        "record/fold_pod.py",
        (("address=None, guard_deadline_at=None, lost=False", "address=None, lost=False"),),
    ),
    Sabotage("second look", "phases/reconnect.py", ((" and is_gone(cloud, self.run.world.clock, pod_id)", ""),)),
)


def main() -> int:
    """The exit code: 1 if the storm missed a sabotage."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm.sabotage", description=__doc__)
    parser.add_argument("-n", type=int, default=20_000, help="how many seeds")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--without", default="", help="as for the storm: kinds of faults that find something anyway")
    parser.add_argument("--only", default="", help="a part of the safeguard's name")
    given = parser.parse_args()
    wanted = [sabotage for sabotage in SABOTAGES if given.only in sabotage.safeguard]
    missed = [sabotage for sabotage in wanted if not found(sabotage, given)]
    return int(bool(missed))


def found(sabotage: Sabotage, given: argparse.Namespace) -> bool:
    """Whether the storm finds it, which is printed."""
    with tempfile.TemporaryDirectory(prefix="sabotage-", dir=SHM if SHM.is_dir() else None) as folder:
        copy(sabotage, Path(folder))
        flags = ("-n", str(given.n), "--jobs", str(given.jobs), "--without", given.without, "--first", "--stranger")
        command = (sys.executable, "-m", "tests.storm", *flags)
        env = {**os.environ, "PYTHONPATH": f"{folder}/src:{folder}"}
        ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    lines = ran.stdout.strip().splitlines()
    print(
        f"{sabotage.safeguard}: {lines[-1] if ran.returncode == 1 and lines else 'MISSED ' + ran.stderr[-300:]}",
        flush=True,
    )
    return ran.returncode == 1


def copy(sabotage: Sabotage, folder: Path) -> None:
    """The folder has the product without the safeguard, and the tests."""
    shutil.copytree(SOURCE, folder / "src" / "runpod_deploy", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TESTS, folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "src" / "runpod_deploy" / sabotage.module
    text = path.read_text()
    for before, after in sabotage.changes:
        assert before in text, f"{sabotage.module} has no text {before!r} any more"
        text = text.replace(before, after, 1)
    path.write_text(text)


if __name__ == "__main__":
    raise SystemExit(main())
