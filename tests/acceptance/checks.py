"""What must hold of a tree: every command says what is counted without it, and what those who drove the runs saw."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import runpod_deploy as rd
from tests.acceptance import counting
from tests.acceptance.counting import EVENTS, MANIFEST
from tests.acceptance.growing import Tree

TOOL = str(Path(sys.executable).with_name("runpod-deploy"))
LAID_OUT: dict[str, Callable[[Any], str]] = {
    "manifests": str,
    "failed": str,
    "wall_time_sec": "{:.1f}".format,
    "estimated_cost_usd": "${:.2f}".format,
}
LABELS = {"estimated_cost_usd": "estimated_cost"}
QUERIES, COMPARED = 12, 2
"""How many names are asked for one by one; of how many runs one is compared with its neighbour."""
SPARE_S = 60.0
"""How much older a run whose pod may still be up can be in one answer than in another."""
USD_PER_S = 1.2 / 3600
"""What such a pod costs at most."""


def tell(tree: Tree, *words: str, code: int = 0) -> str:
    """What a command prints."""
    done = subprocess.run([TOOL, *words], cwd=tree.root, env=tree.sim.env, capture_output=True, text=True)
    assert done.returncode == code, (words, done.stderr)
    return done.stdout


def tell_json(tree: Tree, *words: str, code: int = 0) -> Any:
    """The same, of a command whose output is JSON and nothing else."""
    return json.loads(tell(tree, *words, "--json", code=code))


def brought_up(tree: Tree) -> str:
    """Manifests of runs that nobody finished are made again, so that files and commands speak of the same moment."""
    open_runs = [lived.run_dir for lived in tree.runs if lived.outcome in (None, "unreleased")]
    before = tell_json(tree, "manifest-summary", "--root", "project")["totals"]
    for run_dir in open_runs:
        tell(tree, "manifest", str(run_dir))
    close(tree, before, counting.totals(tree.project))
    return f"{len(open_runs)} runs that nobody finished cost the same before and after their manifest is made again"


def ended_as_seen(tree: Tree) -> str:
    """Exit code, outcome and kind are those that the driver met."""
    for lived in tree.runs:
        manifest = json.loads((lived.run_dir / MANIFEST).read_text())
        assert manifest["outcome"] == lived.outcome, lived
        assert (manifest["failure"] or {}).get("kind") == lived.kind, lived
        assert manifest["exit_code"] == (lived.code if lived.outcome else None), lived
        assert manifest["failed"] == (None if lived.outcome is None else lived.outcome != "succeeded"), lived
    outcomes = {str(lived.outcome) for lived in tree.runs}
    codes = {lived.code for lived in tree.runs if lived.code is not None}
    return f"{len(tree.runs)} runs, {len(outcomes)} outcomes, exit codes {sorted(codes)}"


def paid_as_metered(tree: Tree) -> str:
    """What runs say that pods cost is what the cloud's meters say, until each run knew that its pod had ended."""
    found = tell_json(tree, "manifest-summary", "--root", "project")["manifests"]
    for manifest in found:
        assert manifest["estimated_cost_usd"] == round(sum(row["cost_usd"] for row in manifest["pods"]), 4)
    rows, pods, now = counting.pod_rows(found), tree.pods(), datetime.now(UTC)
    assert set(rows) == set(pods), "every pod that ever was is in some run's records"
    wrong = [said for pod_id in rows if (said := counting.misjudged(rows[pod_id], pods[pod_id], now))]
    assert not wrong, wrong
    said = sum(row["cost_usd"] for each in rows.values() for row in each)
    return f"{len(pods)} pods, ${said:.4f} by their runs, ${tree.sim.ledger['billed_usd']:.4f} by their meters by now"


def summed_up(tree: Tree) -> str:
    """manifest-summary: the totals of JSON and of the footer are those of jq."""
    for root in ("project", "old", "."):
        expected, document = counting.totals(tree.root / root), tell_json(tree, "manifest-summary", "--root", root)
        close(tree, document["totals"], expected)
        assert len(document["manifests"]) == expected["manifests"] - expected["unreadable"]
        assert document["totals"]["without_manifest"] == len(without_manifest(tree.root / root))
        footer = tell(tree, "manifest-summary", "--root", root).rpartition("== TOTALS ==\n")[2]
        for key, laid_out in LAID_OUT.items():
            line = f"{LABELS.get(key, key) + ':':<18}{laid_out(document['totals'][key])}\n"
            assert line in footer or growing(tree), (line, footer)
    return f"{expected['manifests']} manifests, {expected['failed']} failed, ${expected['estimated_cost_usd']:.4f}"


def without_manifest(root: Path) -> list[Path]:
    """Run dirs that have events and no manifest."""
    return [path.parent for path in root.rglob(EVENTS) if not (path.parent / MANIFEST).exists()]


def close(tree: Tree, said: dict[str, Any], expected: dict[str, Any]) -> None:
    """The two agree on all that is expected, but for the dust of adding floats and for what grows."""
    spare_s = SPARE_S * growing(tree)
    spare = {"wall_time_sec": spare_s, "estimated_cost_usd": spare_s * USD_PER_S}
    for key, b in expected.items():
        a = said[key]
        assert a == b or abs(a - b) < 1e-5 + spare.get(key, 0.0), (key, a, b)


def growing(tree: Tree) -> int:
    """How many runs have not ended, or could not make sure that their pod has: their cost grows while we look."""
    return sum(1 for lived in tree.runs if lived.outcome in (None, "unreleased"))


def listed(tree: Tree) -> str:
    """ls-runs: as many as there are, with what their manifests say."""
    rows = {row["run_path"]: row for row in tell_json(tree, "ls-runs", "--project-root", "project")}
    assert sorted(rows) == sorted(str(path) for path in tree.run_dirs if (path / MANIFEST).exists())
    for path, row in rows.items():
        manifest = json.loads((Path(path) / MANIFEST).read_text())
        for key in ("pod_id", "gpu_id", "datacenter_id", "failed", "outcome", "wall_time_sec", "estimated_cost_usd"):
            grows = manifest["outcome"] in (None, "unreleased") and isinstance(manifest[key], float)
            assert row[key] >= manifest[key] if grows else row[key] == manifest[key], (
                path,
                key,
                row[key],
                manifest[key],
                manifest["outcome"],
            )
    lines = tell(tree, "ls-runs", "--project-root", "project").splitlines()
    assert len(lines) == len(rows) + 1
    assert len(tell(tree, "ls-runs", "--project-root", "project", "--limit", "7").splitlines()) == 8
    everything = tell_json(tree, "ls-runs", "--project-root", "old/tune", "--all")
    assert len(everything) == len(list((tree.root / "old/tune/artifacts/runpod").glob("[!.]*")))
    return f"{len(rows)} runs listed"


def found(tree: Tree) -> str:
    """events-query: of every name as many as jq finds; of one run as many lines as it has."""
    rows = list(counting.events(tree.root))
    names = counting.by_name(rows)
    said = [json.loads(line) for line in tell(tree, "events-query", "--root", ".", "--json").splitlines()]
    assert counting.by_name(said) == names and len(said) == len(rows)
    assert [{k: v for k, v in row.items() if k not in ("run_dir", "run_path")} for row in said] == rows
    for name, count in list(names.items())[:: max(1, len(names) // QUERIES)]:
        lines = tell(tree, "events-query", "--root", ".", "--filter", f"event={name}").splitlines()
        assert len(lines) == count, name
    killed = [row for row in said if row["event"] == "pod_killed_unexpected" and row.get("pod_id")]
    lost = {str(lived.run_dir) for lived in tree.runs if lived.kind == "pod_killed_unexpected"}
    assert {row["run_path"] for row in killed} == lost
    assert all(row["gpu_id"].startswith("NVIDIA ") for row in killed)
    refused = [row for row in said if row["event"] == "datacenter_failover"]
    assert refused and all(row["reason"] for row in refused)
    for lived in tree.runs[:20]:
        count = len((lived.run_dir / EVENTS).read_text().splitlines())
        assert len(tell(tree, "events", str(lived.run_dir)).splitlines()) == count
    return f"{len(rows)} events of {len(names)} names"


def compared(tree: Tree) -> str:
    """compare-runs: 1 if one of the two failed or cannot be read, else 0."""
    for one, other in zip(tree.runs[::COMPARED], tree.runs[1::COMPARED], strict=False):
        failed = any(lived.outcome not in ("succeeded", None) for lived in (one, other))
        tell(tree, "compare-runs", str(one.run_dir), str(other.run_dir), code=int(failed))
    tell(tree, "compare-runs", str(tree.runs[0].run_dir), "old/tune/artifacts/runpod/20260606T070000Z", code=1)
    return f"{len(tree.runs[1::COMPARED])} pairs compared"


def standing(tree: Tree) -> str:
    """status: all that has not ended, and nothing else."""
    said = {row["run_path"]: row["state"] for row in tell_json(tree, "status", "--project-root", "project")}
    assert said.keys() == {str(lived.run_dir) for lived in tree.runs if lived.outcome is None}
    for lived in tree.runs:
        if lived.outcome is None:
            assert said[str(lived.run_dir)] == ("left" if lived.code is None else "detached"), lived
    return f"{len(said)} runs have not ended"


def made_again(tree: Tree) -> str:
    """manifest: from spec and events comes the file that was there, to the byte."""
    for lived in tree.runs:
        if lived.outcome not in (None, "unreleased"):
            before = (lived.run_dir / MANIFEST).read_bytes()
            (lived.run_dir / MANIFEST).unlink()
            tell(tree, "manifest", str(lived.run_dir))
            assert (lived.run_dir / MANIFEST).read_bytes() == before, lived
    return "every manifest of a run that ended was thrown away and made again, byte for byte"


def left_behind(tree: Tree) -> str:
    """What stopped disks cost is what the cloud asks for those pods that are stopped."""
    said = tell_json(tree, "manifest-summary", "--root", "project")["totals"]["stopped_disk_usd_per_day"]
    listed = sum(row["estimated_daily_cost_usd"] for row in tell_json(tree, "ls-stale"))
    metered = counting.stopped_usd_per_day(tree.pods().values())
    assert abs(said - metered) < 1e-3 and abs(listed - metered) < 1e-2, (said, listed, metered)
    assert "stopped_disks:" in tell(tree, "manifest-summary", "--root", "project")
    return f"${said:.4f} a day for disks of stopped pods, by manifests, by ls-stale, and by what was asked for"


def shown(tree: Tree) -> str:
    """report: the same totals, every run."""
    expected = counting.totals(tree.root)
    page = (tree.root / tell(tree, "report", "--root", ".").strip()).read_text()
    folders = [path for path in tree.root.rglob("artifacts/runpod/[!.]*") if path.is_dir()]
    assert page.count("<details") == len(folders), (page.count("<details"), len(folders), expected["manifests"])
    assert f"<b>${expected['estimated_cost_usd']:.2f}</b>" in page or growing(tree), re.findall(r"<b>[^<]*</b>", page)
    for lived in tree.runs:
        assert f'id="{lived.run_dir.name}"' in page
    return f"a page of {len(page) // 1000} kB"


def from_python(tree: Tree) -> str:
    """walk_run_dirs, load_manifest, load_events: the same sums."""
    found = [manifest for path in rd.walk_run_dirs(tree.project) if (manifest := rd.load_manifest(path))]
    expected = counting.totals(tree.project)
    assert len(found) == expected["manifests"]
    close(tree, {**expected, "estimated_cost_usd": sum(m["estimated_cost_usd"] or 0 for m in found)}, expected)
    count = sum(len(rd.load_events(path)) for path in rd.walk_run_dirs(tree.project))
    assert count == len(list(counting.events(tree.project)))
    return f"{len(found)} manifests, {count} events"


def billed(tree: Tree) -> str:
    """billing: what the cloud has billed, once for each pod."""
    tree.sim.control("PUT", "billing", {"lag_s": 0})
    document = tell_json(tree, "billing", "--root", "project")
    sums = document["totals"]
    metered = tree.sim.ledger["billed_usd"]
    assert abs((sums["billed_usd"] or 0) + (sums["shared_usd"] or 0) - metered) <= counting.NEARLY * metered
    again = tell_json(tree, "manifest-summary", "--root", "project")["totals"]
    assert abs(again["billed_usd"] - sums["billed_usd"]) < 1e-5
    close(tree, again, counting.totals(tree.project))
    return f"${sums['billed_usd']:.4f} billed for {sums['billed_runs']} runs, ${metered:.4f} by all meters"


def quiet_into_head(tree: Tree) -> str:
    """Whoever reads one line and goes ends every command quietly."""
    run_dir = shlex.quote(str(next(lived.run_dir for lived in tree.runs if lived.outcome == "succeeded")))
    commands = (
        *("manifest-summary --root .", "ls-runs --project-root project", "events-query --root .", f"events {run_dir}"),
        *("status --project-root project", f"manifest {run_dir}", "report --root .", "billing --root project"),
        f"compare-runs {run_dir} {run_dir}",
    )
    for command in (f"{command}{form}" for command in commands for form in ("", " --json")):
        words = ["bash", "-o", "pipefail", "-c", f"{TOOL} {command} | head -n 1"]
        done = subprocess.run(words, cwd=tree.root, env=tree.sim.env, capture_output=True, text=True)
        assert done.returncode == 0 and len(done.stdout.splitlines()) == 1, (command, done.stderr)
        assert not re.search("Traceback|Broken pipe|Exception", done.stderr), (command, done.stderr)
    return f"{2 * len(commands)} commands ended quietly"


CHECKS: tuple[Callable[[Tree], str], ...] = (
    *(brought_up, ended_as_seen, paid_as_metered, summed_up, listed, found, compared, standing),
    *(made_again, left_behind, shown, from_python, billed, quiet_into_head),
)


def failures(tree: Tree, say: Callable[[str], None]) -> list[str]:
    """What does not hold; what does is said."""
    wrong = []
    for check in CHECKS:
        try:
            say(f"{check.__name__.replace('_', ' '):<16} {check(tree)}")
        except AssertionError as error:
            wrong.append(f"{check.__name__}: {error}")
            say(f"WRONG {wrong[-1]}")
    return wrong
