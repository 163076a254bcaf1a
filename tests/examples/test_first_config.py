"""The config that `init` writes for somebody's project succeeds in a rehearsal, as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support import projects
from tests.support.packages import need_packages
from tests.support.workshop import Workshop

MICROMAMBA = """\
case $1 in
create) [ "$*" = "create --yes --prefix $4 --file environment.yml" ] && [ -f "$6" ] &&
    python3 -m venv --without-pip "$4" ;;
run) [ "$2" = -p ] && PATH=$3/bin:$PATH && shift 3 && "$@" ;;
esac
"""
"""It plays micromamba, whose packages come from another kind of registry: an environment of the pod's own Python."""


PACKAGED = ("uv", "pip")
"""Kinds of projects that install packages. The others need no network, and are rehearsed without one."""


@pytest.mark.parametrize(
    "kind", ["monorepo", "conda", *(pytest.param(kind, marks=pytest.mark.long) for kind in PACKAGED)]
)
def test_a_first_config_succeeds(tmp_path: Path, kind: str) -> None:
    if kind in PACKAGED:
        need_packages()
    workshop = Workshop(projects.make(kind, tmp_path / "project"), tmp_path / "home")
    workshop.home.mkdir()
    assert workshop.run("runpod-deploy", "init").returncode == 0
    if kind == "conda":
        play_micromamba(workshop.dir / "runpod.yaml")
    run = ("runpod-deploy", "run", "--config", "runpod.yaml")
    done = workshop.rehearse(*run, egress=kind in PACKAGED, within_s=360)
    assert done.exit_code == 0, done.output
    assert f"data: 3000 token: {len(projects.TOKEN)}" in done.output and projects.TOKEN not in done.output
    assert list(workshop.dir.glob("artifacts/runpod/*/*/model.txt")), done.output
    assert done.ledger["pods_left"] == 0


def play_micromamba(path: Path) -> None:
    """The pod of this config has a micromamba before anything else is done on it."""
    config = yaml.safe_load(path.read_text())
    place = "/usr/local/bin/micromamba"
    written = f"cat >{place} <<'END'\n#!/bin/sh\n{MICROMAMBA}END\nchmod +x {place}"
    config["setup"].insert(0, {"command": written})
    path.write_text(yaml.safe_dump(config))
