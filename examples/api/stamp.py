"""Writes the origin of a result into its file: `stamp.py PROJECT_ROOT RESULT.json` adds commit and lockfile."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from runpod_deploy import __version__, capture_local_git, capture_payload_lockfile


def main() -> int:
    """Returns 1 if the checkout has uncommitted changes."""
    project_root, result_path = Path(sys.argv[1]), Path(sys.argv[2])
    facts = {**capture_local_git(project_root), **capture_payload_lockfile(project_root)}
    result = json.loads(result_path.read_text())
    result["made_with"] = {**facts, "runpod_deploy": __version__}
    result_path.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if facts["local_git_dirty"] else 0


if __name__ == "__main__":
    sys.exit(main())
