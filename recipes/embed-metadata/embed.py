"""Writes the origin of a result into its file: `embed.py RUN_DIR metrics.json` adds a block `provenance`.

A result that is copied out of its run dir then still names the code, the data and the machine that made it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FROM_MANIFEST = ("run_id", "job_name", "variables", "image", "gpu_id", "datacenter_id", "config_sha256", "tool")


def main() -> int:
    """Adds the block to the result and returns 0."""
    run_dir, result_path = Path(sys.argv[1]), Path(sys.argv[2])
    manifest: dict[str, Any] = json.loads((run_dir / "runpod_deploy_pull_manifest.json").read_text())
    result: dict[str, Any] = json.loads(result_path.read_text())
    facts = {key: manifest.get(key) for key in FROM_MANIFEST}
    result["provenance"] = {**facts, **manifest.get("deploy_metadata", {})}
    result_path.write_text(json.dumps(result, indent=2) + "\n")
    if result["provenance"].get("local_git_dirty"):
        print("warning: the checkout had uncommitted changes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
