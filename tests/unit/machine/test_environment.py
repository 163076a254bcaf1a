"""What child processes find in their environment."""

from __future__ import annotations

import sys

from pytest import MonkeyPatch

from runpod_deploy.machine import environment, proc

CALLER = {
    "PATH": "/usr/bin:.:bin::/bin",
    "HOME": "/home/me",
    "SSH_AUTH_SOCK": "/run/agent",
    "RUNPOD_API_KEY": "rpa_1",
    "HF_TOKEN": "hf_1",
    "GIT_DIR": "/x",
}


def test_a_child_gets_what_it_needs_and_nothing_else() -> None:
    assert environment.of_child(CALLER) == {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/me",
        "SSH_AUTH_SOCK": "/run/agent",
    }
    assert "SSH_AUTH_SOCK" not in environment.of_git(CALLER)


def test_no_child_gets_the_key_or_a_secret(monkeypatch: MonkeyPatch) -> None:
    for name, value in CALLER.items():
        if name != "PATH":
            monkeypatch.setenv(name, value)
    show = [sys.executable, "-c", "import os; print(sorted(os.environ))"]
    seen = proc.run(show, timeout_s=30).stdout.decode()
    with proc.Child(show) as child:
        child.wait(30)
        streamed = (child.read(1 << 16) or b"").decode()
    for names in (seen, streamed):
        assert "HOME" in names
        assert not any(name in names for name in ("RUNPOD_API_KEY", "HF_TOKEN", "GIT_DIR"))
