"""The recipes for Weights & Biases and Hugging Face, with these services' own clients and servers that play them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.recipes.hubs import MODEL, HuggingFace, WandB, hub
from tests.support.packages import need_packages
from tests.support.workshop import REPOSITORY, Rehearsal, Workshop, open_workshop

pytestmark = [pytest.mark.long, pytest.mark.timeout(1000)]
WITHIN_S = 900
KEY = "0123456789abcdef" * 2 + "01234567"
VOLUME = """\
curl -sf -X POST -H "Authorization: Bearer $RUNPOD_API_KEY" -H 'User-Agent: recipe' \
    -H 'Content-Type: application/json' -d '{"name": "models", "size": 10, "dataCenter": "US-TX-3"}' \
    "$RUNPOD_API_BASE_URL/v2/network-volumes" >volume.json
"""
TRAINED = """\
import pathlib, sys
model, out = pathlib.Path(sys.argv[2]), pathlib.Path("out/adapter")
out.mkdir(parents=True)
(out / "adapter.safetensors").write_bytes((model / "model.safetensors").read_bytes()[::-1])
"""
"""It plays the training of the recipe, which needs PyTorch: its result is made of the model that it is given."""


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    need_packages()
    return open_workshop(tmp_path)


def manifests(folder: Path) -> list[dict[str, Any]]:
    """The manifests of the runs of a project, oldest first."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("artifacts/runpod/*/*_manifest.json"))]


def has_no_secret(workshop: Workshop, done: Rehearsal, secret: str) -> bool:
    """Whether a secret is neither in what was printed nor in any file of the project."""
    files = [path for path in workshop.dir.rglob("*") if path.is_file()]
    return secret not in done.output and not [path for path in files if secret.encode() in path.read_bytes()]


def test_a_job_that_logs_to_weights_and_biases(workshop: Workshop) -> None:
    folder = workshop.dir / "recipes/wandb"
    config = yaml.safe_load((folder / "job.yaml").read_text())
    with hub(WandB, KEY) as server:
        config["remote_env"]["exports"]["WANDB_BASE_URL"] = server.url  # as the page says of a server of your own
        (folder / "rehearsal.yaml").write_text(yaml.safe_dump(config))
        run = ("runpod-deploy", "run", "-c", "recipes/wandb/rehearsal.yaml", "--var", "epochs=3")
        done = workshop.rehearse(*run, env={"WANDB_API_KEY": KEY}, egress=True, within_s=WITHIN_S)
    assert done.exit_code == 0, done.output
    [manifest] = manifests(folder)
    page = f"{server.url}/me/digits/runs/{manifest['run_id']}"
    assert manifest["links"] == {"wandb_run": page}
    assert f"job event wandb_run: url={page}" in done.output
    rows = [json.loads(line) for line in server.received["rows of wandb-history.jsonl"]]
    assert [row["epoch"] for row in rows] == [0, 1, 2] and rows[2]["loss"] < rows[0]["loss"]
    assert has_no_secret(workshop, done, KEY)
    assert page in announced(next(folder.glob("artifacts/runpod/*/run.log")).read_text())


def announced(log: str) -> str:
    """The events that the page's filter makes of what the client prints by itself."""
    page = (REPOSITORY / "docs/recipes/weights-and-biases.md").read_text()
    [program] = re.findall(r"sed -u '([^']+)'", page)
    printed = "\n".join(line for line in log.splitlines() if "RUNPOD_EVENT" not in line)
    done = subprocess.run(["sed", "-u", program], input=printed, capture_output=True, text=True, check=True)
    events = [line for line in done.stdout.splitlines() if line.startswith("__RUNPOD_EVENT__ ")]
    return json.loads(events[0].removeprefix("__RUNPOD_EVENT__ "))["url"] if events else ""


def test_a_model_from_hugging_face_and_back(workshop: Workshop) -> None:
    project = workshop.dir / "examples/finetune"
    (project / "train.py").write_text(TRAINED)
    with hub(HuggingFace, KEY) as server:
        says = {"hub": server.url, "base": "base/model", "repo": "me/tuned", "packages": ""}
        flags = " ".join(f"--var {name}={value}" for name, value in says.items())
        run = f"runpod-deploy run -c recipes/huggingface/job.yaml {flags}"
        twice = f"{VOLUME}{run} && {run}"
        done = workshop.rehearse("bash", "-c", twice, env={"HF_TOKEN": KEY}, egress=True, within_s=WITHIN_S)
    assert done.exit_code == 0, done.output
    downloads = [path for path in server.asked if path.startswith("GET /base/model/resolve/")]
    assert len(downloads) == len(MODEL), "the second run finds the model on the volume"
    assert [manifest["links"] for manifest in manifests(project)] == [{"model": f"{server.url}/me/tuned"}] * 2
    adapter = MODEL["model.safetensors"][::-1]
    assert server.received["adapter.safetensors"] == adapter
    assert [path.read_bytes() for path in project.glob("artifacts/runpod/*/adapter/*")] == [adapter] * 2
    assert has_no_secret(workshop, done, KEY)


def test_a_wrong_token_ends_the_run_before_its_job(workshop: Workshop) -> None:
    with hub(HuggingFace, KEY) as server:
        run = f"runpod-deploy run -c recipes/huggingface/job.yaml --var hub={server.url} --var packages="
        done = workshop.rehearse(
            "bash", "-c", f"{VOLUME}{run}", env={"HF_TOKEN": "hf_expired"}, egress=True, within_s=WITHIN_S
        )
    [manifest] = manifests(workshop.dir / "examples/finetune")
    assert manifest["failure"]["kind"] == "preflight_failed", done.output
    assert done.ledger["pods_left"] == 0
