"""Bodies that end while their work goes on in the background."""

from __future__ import annotations

from typing import Any

import pytest

from runpod_deploy.config import examine
from runpod_deploy.config.background import left_running

from .conftest import Write

LEFT = [
    "python train.py &",
    "set -e\nnohup python train.py > /workspace/train.log 2>&1 &\necho started\n",
    "nohup python train.py & disown\n",
    "(cd /x && python train.py) &  # in the background\nPID=$!\necho $PID\nexit 0",
    "tmux new-session -d -s train 'python train.py'\n",
    "tmux new -s train -d python train.py",
    "tmux -L mine new -d 'a && b'",
    "screen -dmS train python train.py\nsleep 2",
    "screen -S train -d -m python train.py",
    "setsid -f python train.py",
    "for i in 0 1; do python train.py --gpu $i & done",
    "for i in 0 1; do\n  python train.py --gpu $i &\ndone\n",
    "wait\npython train.py &",
]
FINE = [
    "python train.py",
    "a && b",
    "python train.py 2>&1",
    "tensorboard --logdir x &\npython train.py",
    "python train.py &\nwait",
    "python train.py &\nwait $!\necho done",
    "python a.py & python b.py",
    "python train.py &\nwhile kill -0 $!; do sleep 5; done",
    "python train.py &\nsleep infinity",
    "# python train.py &",
    "tmux new -d 'x; tmux wait -S done'\ntmux wait done",
    "tmux attach -d",
    "a |&\ncat",
]


@pytest.mark.parametrize("body", LEFT)
def test_work_that_is_left_behind_is_seen(body: str) -> None:
    assert left_running(body) is not None


@pytest.mark.parametrize("body", FINE)
def test_a_body_that_waits_is_fine(body: str) -> None:
    assert left_running(body) is None


def test_the_warning_names_line_and_command(plain: dict[str, Any], write: Write) -> None:
    text = "mkdir -p out\n\n# now\nnohup sh train.sh &\necho started\n"
    _, findings = examine(write({**plain, "run": {**plain["run"], "body": text}}))
    (found,) = findings
    assert (found.level, found.path) == ("warning", "run.body")
    assert found.message.endswith("may still run: nohup sh train.sh &")
    assert "put `wait` on its last line" in found.hint
