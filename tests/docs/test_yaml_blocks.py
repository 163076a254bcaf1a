"""Every YAML block of every page is valid: as a whole config, or on top of the hello example."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from runpod_deploy.cli import main
from tests.docs.blocks import Block, blocks
from tests.support.workshop import REPOSITORY

CONFIGS = [*sorted((REPOSITORY / "examples").rglob("*.yaml")), *sorted((REPOSITORY / "recipes").rglob("*.yaml"))]


@pytest.mark.parametrize("block", list(blocks("yaml")), ids=str)
def test_block(block: Block, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = yaml.safe_load(block.text)
    if "schema_version" not in content and "extends" not in content:
        content["extends"] = "examples/hello/hello.yaml"
    if "extends" in content:
        content["extends"] = str(REPOSITORY / content["extends"])
    path = tmp_path / "block.yaml"
    path.write_text(yaml.safe_dump(content))
    assert main(["validate", "--config", str(path)]) == 0, capfd.readouterr().err


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_config(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "--config", str(path)]) == 0, capfd.readouterr().err
