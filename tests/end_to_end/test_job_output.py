"""What a job prints, however odd: every byte is in the log, and what people and scripts read is text."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from tests.support.harness import WORK, Simulator, job, run

ODD = (
    WORK
    + "head -c 300000 /dev/urandom | tee /workspace/out/garbage\n"
    + "printf '\\r 10%%\\r 20%%\\n\\033[2J\\033]0;title\\007red\\n'\n"
    + "seq 200000\n"
    + 'printf \'__RUNPOD_EVENT__ {"event": "epoch", "loss": 0.5}\\n__RUNPOD_EVENT__ {broken\\n\'\n'
    + "printf 'no end'\n"
)


def test_every_byte_is_kept_and_nothing_obeys_them(sim: Simulator, tmp_path: Path) -> None:
    ended = run(sim, job(tmp_path / "p", body=ODD))
    assert ended.code == 0 and ended.run_dir, ended.err[-2000:]
    numbers = "".join(f"{n}\n" for n in range(1, 200_001)).encode()
    marks = b'__RUNPOD_EVENT__ {"event": "epoch", "loss": 0.5}\n__RUNPOD_EVENT__ {broken\n'
    expected = (
        (ended.run_dir / "out/garbage").read_bytes() + b"\r 10%\r 20%\n\x1b[2J\x1b]0;title\x07red\n" + numbers + marks
    )
    assert (ended.run_dir / "run.log").read_bytes() == expected + b"no end"
    for text in (ended.err, (ended.run_dir / "console.log").read_text()):
        assert not [char for char in text if unicodedata.category(char) == "Cc" and char not in "\n\t"]
        assert "  job |  20%\n" in text and "red\n" in text and text.count("  job | no end\n") == 1
    assert [row["loss"] for row in ended.named("epoch")] == [0.5]
