"""Values that look like secrets are refused where they would be shown, with the place where they belong."""

from __future__ import annotations

from typing import Any

import pytest

from runpod_deploy.config import load
from runpod_deploy.config.secret_names import looks_secret
from runpod_deploy.errors import ConfigError

from .conftest import Write

VALUE = "hf_abcdefghijkl"


@pytest.mark.parametrize(
    "name", ["HF_TOKEN", "WANDB_API_KEY", "DB_PASSWORD", "my_password_2", "AWS_SECRET", "hf_token"]
)
def test_a_secret_in_the_pod_s_environment_is_refused(name: str, plain: dict[str, Any], write: Write) -> None:
    plain["pod"]["env"] = {name: VALUE}
    with pytest.raises(ConfigError, match=rf"pod.env.{name}.*looks like a secret") as caught:
        load(write(plain))
    assert VALUE not in caught.value.message + caught.value.hint and "`secrets`" in caught.value.message


def test_a_secret_on_the_command_line_is_refused(plain: dict[str, Any], write: Write) -> None:
    with pytest.raises(ConfigError, match=r"--var.*HF_TOKEN looks like a secret") as caught:
        load(write(plain), cli_variables={"HF_TOKEN": VALUE})
    assert VALUE not in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_TOKEN", ""),
        ("max_token", "4096000000"),
        ("pad_token", "[PAD]"),
        ("sort_key", "loss"),
        ("SSH_PUBLIC_KEY", "ssh-ed25519 AAAA"),
        ("PUBLIC_KEY", "ssh-ed25519 AAAA"),
        ("TOKENIZERS_PARALLELISM", "false-false"),
        ("KEYBOARD", "qwertz-qwertz"),
    ],
)
def test_what_is_no_secret_passes(name: str, value: str) -> None:
    assert not looks_secret(name, value)
