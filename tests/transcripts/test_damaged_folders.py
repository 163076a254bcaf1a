"""A tree with every kind of damaged record: no command stops at one, and each is reported exactly once."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runpod_deploy as rd
from tests.transcripts import run_dirs
from tests.transcripts.run_dirs import MANIFEST

TOOL = str(Path(sys.executable).with_name("runpod-deploy"))
# root may read everything, unless it gives up that right.
POWERLESS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
PREFIX = POWERLESS if os.geteuid() == 0 else []
pytestmark = pytest.mark.skipif(bool(PREFIX) and not shutil.which("setpriv"), reason="root without setpriv reads all")

V2 = json.dumps(run_dirs.v2())
ODD = {
    **{key: {"a": [1]} for key in ("job_name", "run_id", "artifacts", "pod_id", "outcome", "tool", "log")},
    **{key: [1, {}] for key in ("deploy_metadata", "telemetry_files", "phases", "pods", "variables")},
    **dict.fromkeys(("failed", "failure", "wall_time_sec", "estimated_cost_usd", "left_usd_per_day"), "text"),
    **dict.fromkeys(("state", "finished_at_utc", "config_path", "gpu_id", "pod_final_state", "discarded_pods"), 7),
}
MANIFESTS: dict[str, bytes] = {
    "odd": json.dumps(ODD).encode(),
    "nan": b'{"wall_time_sec": NaN, "estimated_cost_usd": Infinity, "billed_usd": -Infinity, "failed": false}',
    "big": b'{"wall_time_sec": ' + b"9" * 400 + b', "failed": true, "job_name": "\\ud800\\u0000\\u001b[31m"}',
    "utf16": V2.encode("utf-16"),
    "bom": b"\xef\xbb\xbf" + V2.encode(),
}
NO_MANIFESTS: dict[str, bytes] = {
    "empty": b"",
    "null": b"null",
    "torn": V2[:200].encode(),
    "latin": b'{"job_name": "caf\xe9"}',
    "deep": b"[" * 200_000,
    "digits": b'{"wall_time_sec": ' + b"9" * 5000 + b"}",
}
CLOCKS = run_dirs.rows(
    {"ts_utc": "2026-01-01T00:00:10Z", "event": "late"},
    {"ts_utc": "2026-01-01T00:00:00Z", "event": "early", "loss": float("nan")},
    {"ts_utc": "9999-12-31T23:59:59-14:00", "event": "edge"},
    {"ts_utc": 5, "event": ["no", "name"]},
)
WITHOUT = {"spec", "folder"}
"""Run dirs that hold no file where their manifest should be."""
NOISE = b"\0" * 1000 + b'\n"text"\n[1]\n' + b"[" * 100_000 + b'\n\xff\xfe\n{"event": "' + b"x" * 20_000_000 + b'"}\n'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project. Its intact runs are those of MANIFESTS, `events` and `name`."""
    root = tmp_path_factory.mktemp("damaged")
    runs = root / "artifacts" / "runpod"
    runs.mkdir(parents=True)
    for name, content in (MANIFESTS | NO_MANIFESTS).items():
        write(runs / name, {MANIFEST: content, "events.jsonl": run_dirs.OURS})
    write(runs / "events", {MANIFEST: V2.encode(), "events.jsonl": CLOCKS + NOISE, "metrics.jsonl": NOISE})
    write(runs / "name\n\x1b[2J", {MANIFEST: V2.encode(), "events.jsonl": run_dirs.OURS})
    write(runs / "spec", {"spec.json": b"", "events.jsonl": b""})
    for name, make in SPECIAL.items():
        write(runs / name, {"events.jsonl": run_dirs.OURS})
        make(runs / name / MANIFEST)
    write(runs / "closed", {MANIFEST: V2.encode()})
    (runs / "loop").symlink_to("..")
    (runs / "self").symlink_to("self")
    (runs / "file").write_text("x")
    (runs / "closed").chmod(0)
    yield root
    (runs / "closed").chmod(0o700)


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Makes the folder with these files."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def unreadable(path: Path) -> None:
    """Makes a file that nobody may read."""
    path.write_text(V2)
    path.chmod(0)


SPECIAL: dict[str, Callable[[Path], Any]] = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "own-tail": lambda path: path.symlink_to(path.name),
    "nowhere": lambda path: path.symlink_to("/nonexistent"),
    "locked": unreadable,
}


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The ended command. It must not wait for input."""
    done = subprocess.run(
        [*PREFIX, TOOL, *arguments],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(project), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr and "\x1b" not in done.stdout + done.stderr
    assert all(count == 1 for count in Counter(done.stderr.splitlines()).values()), "each is named once"
    return done


def named(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The run dirs that were reported as unreadable."""
    return set(re.findall(r"^warning: artifacts/runpod/([\w-]+)", done.stderr, re.MULTILINE))


BAD = {*NO_MANIFESTS, "pipe", "own-tail", "nowhere", "locked"}


def strict(text: str) -> Any:
    """The value, if every JSON parser reads the text."""
    return json.loads(text, parse_constant=lambda constant: pytest.fail(constant))


def test_manifests_are_summed_up(project: Path) -> None:
    done = run(project, "manifest-summary", "--root", ".", "--json")
    document = strict(done.stdout)

    assert done.returncode == 0 and named(done) == BAD | {"closed"}
    assert len(document["manifests"]) == len(MANIFESTS) + 2
    assert document["totals"]["unreadable"] == len(BAD)
    assert document["totals"]["unknown_cost"] == 3
    assert "== TOTALS ==" in run(project, "manifest-summary", "--root", ".").stdout


def test_runs_are_listed(project: Path) -> None:
    done = run(project, "ls-runs", "--json")
    everything = run(project, "ls-runs", "--all", "--json")

    assert done.returncode == 0 and named(done) == BAD | {"closed", "folder"}
    assert len(strict(done.stdout)) == len(MANIFESTS) + 2
    assert len(strict(everything.stdout)) == len(MANIFESTS | NO_MANIFESTS | SPECIAL) + 5
    assert run(project, "ls-runs").stdout.startswith("timestamp")


def test_events_are_found(project: Path) -> None:
    done = run(project, "events-query", "--root", ".", "--json")
    rows = [strict(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0 and named(done) == {"events", "closed"}
    assert sum(row["event"] == "heartbeat" for row in rows) == len(MANIFESTS | NO_MANIFESTS | SPECIAL) + 1
    assert [row["event"] for row in rows if row["run_dir"] == "events"] == ["late", "early", "edge", ["no", "name"]]
    late = run(
        project, "events-query", "--root", ".", "--since", "2026-06-05T09:30:00Z", "--filter", "event~edge|heart"
    )
    assert len(late.stdout.splitlines()) == len(MANIFESTS | NO_MANIFESTS | SPECIAL) + 1
    assert "edge" not in late.stdout, "a time that nobody can calculate with is no time"


def test_events_are_shown_even_if_clocks_go_backwards(project: Path) -> None:
    done = run(project, "events", "artifacts/runpod/events")

    assert done.returncode == 0 and len(done.stderr.splitlines()) == 1
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "[+0:00]",
        "[-0:10]",
        "[+--:--]",
        "[+--:--]",
    ]


def test_unfinished_runs_are_found(project: Path) -> None:
    done = run(project, "status", "--json")
    given = run(project, "status", "artifacts/runpod/spec", "artifacts/runpod/odd")

    assert done.returncode == 0 and strict(done.stdout) == [] and named(done) == {"spec", "closed"}
    assert given.returncode == 2 and named(given) == {"spec", "odd"} and given.stdout == ""


def test_a_page_is_made(project: Path, tmp_path: Path) -> None:
    done = run(project, "report", "--root", ".", "-o", str(tmp_path / "page.html"))

    assert done.returncode == 0 and named(done) == BAD | {"closed", "events"}
    assert (tmp_path / "page.html").read_text().count("<details") == len(MANIFESTS) + 2 + len(BAD) + len(WITHOUT)


@pytest.mark.parametrize("name", [*MANIFESTS, *NO_MANIFESTS, *SPECIAL, "events", "spec", "closed", "loop", "file"])
def test_every_single_run_is_shown_or_refused(name: str, project: Path, tmp_path: Path) -> None:
    path = f"artifacts/runpod/{name}"
    fine = name in (*MANIFESTS, "events")

    assert run(project, "manifest-summary", path).returncode == (0 if fine else 2)
    assert run(project, "compare-runs", path, "artifacts/runpod/nan").returncode == (name == "big" or not fine)
    assert run(project, "manifest", path).returncode == 2
    assert run(project, "events", path, "--json").returncode == (2 if name in ("closed",) else 0)
    assert run(project, "report", path, "-o", str(tmp_path / "page.html")).returncode in (0, 2)


def test_python_reads_what_can_be_read(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    if PREFIX:
        (project / "artifacts/runpod/closed").chmod(0o700)
    found = rd.walk_run_dirs(project)
    manifests = [rd.load_manifest(path) for path in found]
    events = [rd.load_events(path) for path in found]
    (project / "artifacts/runpod/closed").chmod(0)

    assert sum(manifest is not None for manifest in manifests) >= len(MANIFESTS) + 2
    assert sum(len(rows) == 3 for rows in events) >= len(MANIFESTS) + 1
    assert "events.jsonl: skipped lines that are not JSON objects, first on line 5" in caplog.text
