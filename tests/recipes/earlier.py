"""A project that drives the earlier tool in the three ways of its sweep page, with stubs for everything of its own.

The loops have the commands, flags, redirections and idioms of that page, in words of ours; knows no simulator.
"""

from __future__ import annotations

from tests.support.workshop import COMMANDS_DIR, Workshop

STUB = "extends: {up}/examples/hello/hello.yaml\nname: {name}\nvariables: {{seed: none}}\n"
CONFIGS = {
    "sweep/low": "shard-low",
    "sweep/high": "shard-high",
    "headline": "headline",
    "template": "shard-s{seed}",
}
MAKEFILE = """\
CONFIGS := $(wildcard configs/runpod/sweep/*.yaml)
audit: ; @echo audited
sweep: audit
\t@for config in $(CONFIGS); do echo "config $$config"; \\
\t\trunpod-deploy validate --config $$config --all || exit 1; \\
\t\trunpod-deploy run --config $$config || exit 1; \\
\tdone
\tuv run python scripts/aggregate.py --pattern 'artifacts/runpod/*/'
"""
AGGREGATE = "import glob, sys; print('aggregated', len(glob.glob(sys.argv[2])))\n"

SEQUENTIAL = """
set -euo pipefail
configs=(configs/runpod/sweep/low.yaml configs/runpod/sweep/high.yaml)
make audit
runpod-deploy capture-env --project-root . > artifacts/sweep_env.json
for config in "${configs[@]}"; do
    runpod-deploy validate --config "$config" --all
    runpod-deploy run --config "$config" --cost-cap-usd 5.0 --max-runtime-minutes 60
done
uv run python scripts/aggregate.py --pattern 'artifacts/runpod/*/'
"""
PARALLEL = """
set -euo pipefail
shard() {
    local log="attempt_$1.log" run_dir
    if runpod-deploy run --config configs/runpod/template.yaml --var "seed=$1" --print-run-dir \\
        --cost-cap-usd 5.0 --max-runtime-minutes 60 2>&1 | tee "$log"; then return 0; fi
    run_dir=$(grep -oE '^RUN_DIR=.*' "$log" | head -1 | cut -d= -f2-)
    [ -n "$run_dir" ] && [ -f "$run_dir/events.jsonl" ] || return 1
    if grep -q '"event": "pod_killed_unexpected"' "$run_dir/events.jsonl"; then echo "shard $1: pod lost"
    else echo "shard $1: failed"; fi
    return 1
}
for seed in 42 43 44 45; do
    while [ "$(jobs -rp | wc -l)" -ge "${MAX_PARALLEL:-2}" ]; do wait -n 2>/dev/null || true; done
    shard "$seed" &
done
while [ "$(jobs -rp | wc -l)" -gt 0 ]; do wait -n 2>/dev/null || true; done
"""
ONE_OFF = """
set -e
runpod-deploy run --config configs/runpod/headline.yaml \\
    --gpu-id 'NVIDIA RTX 4090' --datacenter-id 'EU-RO-1' --cost-cap-usd 2.0
runpod-deploy run --config configs/runpod/template.yaml --var seed=42
"""


def settle_in(workshop: Workshop) -> None:
    """The workshop is such a project; the folder `artifacts`, which the loop redirects into, exists."""
    (workshop.dir / "artifacts").mkdir()
    for path, name in CONFIGS.items():
        target = workshop.dir / "configs/runpod" / f"{path}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        up = "/".join([".."] * (2 + path.count("/")))
        target.write_text(STUB.format(up=up, name=name) + f"local: {{project_root: {up}}}\n")
    (workshop.dir / "Makefile").write_text(MAKEFILE)
    (workshop.dir / "scripts").mkdir()
    (workshop.dir / "scripts/aggregate.py").write_text(AGGREGATE)
    uv = workshop.home / "bin/uv"
    uv.parent.mkdir()
    uv.write_text('#!/bin/sh\nshift; shift; exec python3 "$@"\n')
    uv.chmod(0o755)


def path_with_uv(workshop: Workshop) -> dict[str, str]:
    """The environment in which `uv` is a stub."""
    return {"PATH": f"{workshop.home / 'bin'}:{COMMANDS_DIR}:/usr/local/bin:/usr/bin:/bin"}
