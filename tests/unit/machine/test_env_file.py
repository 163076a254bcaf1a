"""Files of variables are read by the rules of python-dotenv, and what no job may have is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from runpod_deploy.machine.env_file import EnvFileError, read_env_file


def test_the_usual_notations(tmp_path: Path) -> None:
    text = (
        "\ufeff# tokens\r\nexport WANDB_API_KEY=abc # comment\r\nHF_TOKEN='a b#c'\r\n"
        'KEY="two\nlines \\" $(touch x)"\nURL=https://x/${WANDB_API_KEY}\nEMPTY=\nNOTHING\n'
        "UID=1000\nRUNPOD_API_KEY=account\nRUNPOD_DEPLOY_JOB=x\n"
    )
    (tmp_path / ".env").write_bytes(text.encode())
    assert read_env_file(tmp_path / ".env") == {
        "WANDB_API_KEY": "abc",
        "HF_TOKEN": "a b#c",
        "KEY": 'two\nlines " $(touch x)',
        "URL": "https://x/abc",
        "EMPTY": "",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"A=1\nsecret words\n", "line 2 is not NAME=value"),
        (b"A=1\nmy-token=geheim\n", "line 2 is not NAME=value"),
        (b"A=\xff\n", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_named_without_a_value(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(EnvFileError, match=message) as error:
        read_env_file(tmp_path / ".env")
    assert "geheim" not in str(error.value) and "words" not in str(error.value)
