"""`validate` tells everything at once, also beside mistakes, and nothing of what it puts in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from runpod_deploy.cli.validate import Report, Scans
from tests.unit.scans.conftest import PLAIN

LOCAL = Scans(
    check_local=True,
    check_availability=False,
    scan_consumer=False,
    check_image_registry=False,
    skip_registry_check=True,
    all=False,
    registry_url="",
)


def found(folder: Path, **sections: Any) -> list[str]:
    """The places and messages of the findings about such a file."""
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump({**PLAIN, **sections}))
    report = Report()
    report.look(path, ((), None), LOCAL)
    return [f"{finding.path}: {finding.message}" for finding in report.findings]


def test_a_file_named_placeholder_is_missing_like_any_other(tmp_path: Path) -> None:
    texts = found(tmp_path, local={"required_paths": ["placeholder.txt"]}, secrets=[{"env": ["PLACEHOLDER"]}], typo=1)
    assert [text.split(":")[0] for text in texts] == ["local.required_paths[0]", "secrets[0].env[0]", "typo"]


@pytest.mark.parametrize(
    "sections",
    [
        {"staging": [{"label": "a", "source": 3, "destination": "b"}], "secrets": "none"},
        {"secrets": [{"env": 3}], "staging": 7, "pod": 1},
        {"storage": {"mode": "x"}, "run": [], "artifacts": [{}], "setup": [[]]},
    ],
)
def test_what_stands_for_a_mistake_is_never_shown(tmp_path: Path, sections: dict[str, Any]) -> None:
    texts = found(tmp_path, **sections)
    assert texts and not [text for text in texts if "placeholder" in text.lower()]
