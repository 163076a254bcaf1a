"""Two hundred runs of every fate, and old ones among them: what the commands count, jq counts too."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runpod_deploy.journal import RunDir
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.manifest import write_manifest
from runpod_deploy.spec_json import spec_to_json
from tests.lifecycle.worlds import Killed, Memory, dies_after
from tests.transcripts import wild

TOOL = Path(sys.executable).with_name("runpod-deploy")
READABLE = "find . -name runpod_deploy_pull_manifest.json ! -path './old/lab/*/2026060[78]*' -print0 | xargs -0 cat"


def succeeding(world: Memory) -> None:
    """All goes well."""


def without_stock(world: Memory) -> None:
    """Nothing is to be had."""
    world.cloud.offers = []


def killed_pod(world: Memory) -> None:
    """The pod vanishes while the job runs."""
    world.clock.at(200.0, lambda: world.cloud.vanish(next(iter(world.cloud.rented))))


def killed_process(world: Memory) -> None:
    """Our own process dies on the way; the run is taken up again."""
    with pytest.raises(Killed):
        carry_out(world.open(dies_after(15)))


FATES: tuple[tuple[Callable[[Memory], None], dict[str, Any]], ...] = (
    (succeeding, {}),
    (succeeding, {"exit_code": 3}),
    (succeeding, {"results": {}}),
    (succeeding, {"guard_lives": False}),
    (without_stock, {}),
    (killed_pod, {"job_lasts_s": 10.0**6}),
    (killed_process, {}),
    (succeeding, {"job_lasts_s": 10.0**6}),
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The runs, each in a project of its own."""
    for index in range(200):
        fate, settings = FATES[index % len(FATES)]
        project = tmp_path / f"project-{index:03}"
        project.mkdir()
        make(project, fate, settings)
    wild.build(tmp_path / "old")
    return tmp_path


def make(project: Path, fate: Callable[[Memory], None], settings: dict[str, Any]) -> RunDir:
    """One finished run with everything that the command line leaves."""
    world = Memory(project, **settings)
    world.dir.spec.write_text(spec_to_json(world.spec))
    fate(world)
    write_manifest(world.spec, carry_out(world.open()), world.dir, world.clock.now())
    return world.dir


def shell(tree: Path, command: str) -> str:
    """What a shell command prints."""
    done = subprocess.run(["bash", "-c", command], cwd=tree, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip()


def ours(tree: Path, *arguments: str) -> Any:
    """What a command of ours prints as JSON."""
    done = subprocess.run([str(TOOL), *arguments], cwd=tree, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.timeout(300)
def test_what_the_commands_count_jq_counts_too(tree: Path) -> None:
    totals_are_what_jq_counts(tree)
    for name in ("pod_killed_unexpected", "pod_created", "phase_failed", "gpu_selected", "no_such"):
        queries_find_what_jq_finds(tree, name)
    every_run_is_listed_and_summarized(tree)


def totals_are_what_jq_counts(tree: Path) -> None:
    """Sums and counts."""
    totals = ours(tree, "manifest-summary", "--root", ".", "--json")["totals"]

    assert totals["manifests"] == int(shell(tree, "find . -name runpod_deploy_pull_manifest.json | wc -l")) == 208
    counted = json.loads(
        shell(
            tree,
            f"{READABLE} | jq -s '{{"
            "failed: map(select(.failed == true)) | length,"
            'unknown_cost: map(select(.estimated_cost_usd | type != "number")) | length,'
            "estimated_cost_usd: (map(.estimated_cost_usd | numbers) | add),"
            "wall_time_sec: (map(.wall_time_sec | numbers) | add)}'",
        )
    )
    assert {key: totals[key] for key in counted} == pytest.approx(counted)
    assert totals["unreadable"] == 2
    assert totals["failed"] > 100


def queries_find_what_jq_finds(tree: Path, name: str) -> None:
    """The same events, whatever lies between them."""
    found = shell(
        tree, f"{TOOL} events-query --root . --filter event={name} --json 2>/dev/null | jq -cS .event,.ts_utc"
    )
    expected = shell(
        tree,
        "find . -name events.jsonl | LC_ALL=C sort | xargs cat | jq -cRS"
        f" 'fromjson? | objects | select(.event == \"{name}\") | .event,.ts_utc'",
    )
    assert sorted(found.splitlines()) == sorted(expected.splitlines())


def every_run_is_listed_and_summarized(tree: Path) -> None:
    """The commands agree with each other on a run of each fate."""
    for project in sorted(tree.glob("project-*"))[: len(FATES)]:
        (row,) = ours(project, "ls-runs", "--json")
        manifest = ours(project, "manifest-summary", str(next(project.glob("artifacts/runpod/*"))), "--json")
        assert row["failed"] is manifest["failed"]
        assert row["estimated_cost_usd"] == manifest["estimated_cost_usd"]
        assert ours(project, "status", "--json") == []
