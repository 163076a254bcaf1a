"""The checksum of a run's work is the same on every machine, and another one for other work."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runpod_deploy.spec import SecretSpec, Spec
from runpod_deploy.spec.work_of import work_of
from tests.support.worlds import Memory


@pytest.fixture
def spec(tmp_path: Any) -> Spec:
    return Memory(tmp_path).spec


def with_secret(spec: Spec, **fields: Any) -> Spec:
    return replace(spec, job=replace(spec.job, secrets=(SecretSpec(**fields),)))


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ({"env_file": ".env"}, {"env_file": "/home/ada/keys/.env"}),
        ({"name": "/home/bob/.env", "env_file": "/home/bob/.env"}, {"env_file": ".env"}),
        ({"file": "netrc", "destination": "/root/.netrc"}, {"file": "/etc/netrc", "destination": "/root/.netrc"}),
    ],
)
def test_a_secret_may_lie_in_another_folder_of_each_machine(
    spec: Spec, here: dict[str, Any], there: dict[str, Any]
) -> None:
    assert work_of(with_secret(spec, **here)) == work_of(with_secret(spec, **there))
    (one,), (two,) = with_secret(spec, **here).job.secrets, with_secret(spec, **there).job.secrets
    assert one.path_on_pod("r") == two.path_on_pod("r"), "the machine that takes over removes what the other one wrote"


def test_another_place_on_the_pod_is_other_work(spec: Spec) -> None:
    here, there = (with_secret(spec, env=("A",), destination=place) for place in ("/root/a", "/root/b"))
    assert work_of(here) != work_of(there)
    assert work_of(spec) != work_of(replace(spec, job=replace(spec.job, run=replace(spec.job.run, body="true"))))
