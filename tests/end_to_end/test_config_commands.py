"""Commands that ask the catalogue about a config, installed and over real HTTP."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.harness import Simulator, Tool, job

ESTIMATE = """\
config:         CONFIG
job:            job-7
selected:       NVIDIA L40S in EU-SE-1
price source:   catalogue (secure)
$/hr:           $1.09
disks $/hr:     $0.00
budget:
  cost_cap_usd:    4.00
  assumed_rate:    1.20/hr
  timeout:         12000s (200.0 min), from assumed_rate: not a limit
forecast at $1.09/hr:
  spend at budget.timeout_sec:    $3.65
  runtime at cost_cap ceiling:    ~13161s (219 min)
  stopped at the latest after:    ~13161s (219 min) for $4.00, by the cap
failover events during selection:
  - NVIDIA Voodoo: no such GPU in the catalogue
"""


def test_a_config_against_the_catalogue(sim: Simulator, tmp_path: Path) -> None:
    config = job(
        tmp_path / "p",
        name="job-{seed}",
        variables={"seed": "1"},
        pod={"gpu_order": ["NVIDIA L40S", "NVIDIA Voodoo"], "datacenters": ["EU-SE-1"]},
        budget={"cost_cap_usd": 4.0, "assumed_hourly_rate_usd": 1.2},
    )
    estimate = Tool(sim, "estimate", str(config), "--var", "seed=7").end()
    shown = estimate.out.replace(str(config), "CONFIG").replace("; did you mean 'NVIDIA L4'?", "")
    assert (estimate.code, shown) == (0, ESTIMATE), estimate.err

    validate = Tool(sim, "validate", "--config", str(config), "--check-availability", "--json").end()
    report = json.loads(validate.out)
    unknown = [(row["level"], row["path"], row["message"]) for row in report["findings"] if "Voodoo'" in row["message"]]
    assert validate.code == 0
    assert unknown == [("warning", "pod.gpu_order[1]", "SECURE cloud has no 'NVIDIA Voodoo'")]


def test_nothing_in_stock_ends_as_a_stock_out(sim: Simulator, tmp_path: Path) -> None:
    sim.control("PUT", "stock", {"gpu": "NVIDIA L40S", "datacenter": "EU-SE-1", "count": 0})
    config = job(tmp_path / "p", pod={"gpu_order": ["NVIDIA L40S"], "datacenters": ["EU-SE-1"]})
    ended = Tool(sim, "validate", "--config", str(config), "--all", "--skip-registry-check").end()
    assert ended.code == 3, ended.err
    assert "warning: " in ended.err and "EU-SE-1 has no NVIDIA L40S now" in ended.err
    assert "error: no NVIDIA L40S in EU-SE-1\n" in ended.err
    assert "the same GPUs are in stock in" in ended.err


def test_a_refused_key_is_no_mistake_of_the_config(sim: Simulator, tmp_path: Path) -> None:
    config = job(tmp_path / "p")
    ended = Tool(
        sim, "validate", "--config", str(config), "--check-availability", env={"RUNPOD_API_KEY": "wrong"}
    ).end()
    assert ended.code == 4
    assert "hint: " in ended.err
    assert "Traceback" not in ended.err
