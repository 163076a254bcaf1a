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


def test_a_reference_is_to_the_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNPOD_API_KEY", "geheim")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    (tmp_path / ".env").write_text("A=1\nB=${A}/${HOME:-home}\n")
    assert read_env_file(tmp_path / ".env") == {"A": "1", "B": "1/home"}
    for name in ("RUNPOD_API_KEY", "AWS_SECRET_ACCESS_KEY", "HOME"):
        (tmp_path / ".env").write_text(f"A=1\nB=x${{{name}}}\n")
        with pytest.raises(EnvFileError, match=rf"line 2 names \${{{name}}}, which no line above it sets"):
            read_env_file(tmp_path / ".env")


DOUBLED = "A=xxxxxxxxxx\n" + "".join(f"V{i}=${{V{i - 1}}}${{V{i - 1}}}\n" for i in range(1, 60))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (DOUBLED.replace("V0", "A"), "too long"),
        ("A=" + "x" * 500_000 + "\n" + "".join(f"B{i}=${{A}}\n" for i in range(2000)), "too long"),
        ("A=1\n" * 200_000, "more than 10,000 lines"),
        ("A=" + "${" * 400_000, "more than 1,000 variables"),
        ("A=1\n" * 500_000, "larger than"),
    ],
)
def test_a_file_that_nobody_wrote_is_refused_soon(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / ".env").write_text(content)
    with pytest.raises(EnvFileError, match=message):
        read_env_file(tmp_path / ".env")
