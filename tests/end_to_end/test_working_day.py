"""A working day at a terminal: a sweep is started, watched, visited, stopped and compared. No path is typed."""

from __future__ import annotations

import json
import shlex
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.end_to_end.test_visit import fetched, free_port
from tests.support.harness import TOOL, Simulator
from tests.support.terminal import OnTerminal
from tests.support.workshop import REPOSITORY

DIGITS = REPOSITORY / "examples" / "digits"
VARIABLES = ({"seed": "0"}, {"seed": "1"}, {"seed": "2"}, {"seed": "3", "pause": "30"}, {"seed": "4", "epochs": "no"})


class Person:
    """Types commands in one folder, and reads what they print."""

    def __init__(self, sim: Simulator, folder: Path) -> None:
        self.sim, self.folder = sim, folder

    def opens(self, *words: str) -> OnTerminal:
        """The command on a terminal of its own."""
        return OnTerminal([TOOL, *words], self.sim.env, cwd=self.folder)

    def types(self, *words: str) -> tuple[int, str]:
        """The exit code, and all that the terminal shows."""
        with self.opens(*words) as terminal:
            return terminal.end(), terminal.text


def commands_after_next(text: str) -> list[list[str]]:
    """The words of each command that a failure advises, without the tool's name."""
    advised = text.partition("next:\n")[2].splitlines()
    return [shlex.split(line, comments=True)[1:] for line in advised if line.startswith("  runpod-deploy ")]


def start_sweep(person: Person) -> None:
    """Five runs go on without a terminal."""
    sweep = [[f"--var={name}={value}" for name, value in variables.items()] for variables in VARIABLES]
    with ThreadPoolExecutor(len(sweep)) as many:
        ended = list(many.map(lambda flags: person.types("run", "digits.yaml", "--detach", *flags), sweep))
    assert [code for code, _ in ended] == [0] * len(sweep), ended


def watch(person: Person) -> None:
    """The runs of another folder are seen, until Ctrl-C."""
    with person.opens("status", "--all", "--watch") as overview:
        overview.await_text("digits-s3")
        overview.type("\x03")
        overview.end()


def visit(person: Person, run: str) -> None:
    """A command and a server on the pod answer."""
    code, text = person.types("ssh", run, "--", "ls /workspace/digits")
    assert code == 0 and "train.py" in text
    here, there = free_port(), free_port()
    server = f"cd /workspace/digits && python3 -m http.server {there} --bind 127.0.0.1"
    with person.opens("ssh", run, "-L", f"{here}:{there}", "--", server) as visitor:
        assert b"Softmax" in fetched(f"http://127.0.0.1:{here}/train.py")
        visitor.type("\x03")
        visitor.end()


def follow_hints(person: Person, run: str) -> None:
    """What the failed run advises is done, to the end; its pod is gone then."""
    code, text = person.types("attach", run)
    assert code == 20 and "the job failed" in text and "invalid int value: 'no'" in text, text
    advised = commands_after_next(text)
    assert [words[0] for words in advised] == ["logs", "events", "pull", "stop"], text
    said = {words[0]: person.types(*words) for words in advised}
    assert (said["logs"][0], said["events"][0], said["stop"][0]) == (0, 0, 0), said


def test_a_working_day_ends_with_the_best_run_and_nothing_that_bills(sim: Simulator, tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    shutil.copytree(DIGITS, project, ignore=shutil.ignore_patterns("artifacts", "results", "out"))
    elsewhere.mkdir()
    at_work, away = Person(sim, project), Person(sim, elsewhere)

    start_sweep(at_work)
    watch(away)
    visit(away, "last:digits-s3")
    code, text = away.types("stop", "last:digits-s3", "--delete")
    assert code == 0, text
    follow_hints(at_work, "last:digits-s4")
    for seed in range(3):
        code, text = at_work.types("attach", f"last:digits-s{seed}")
        assert code == 0, text

    _, text = at_work.types("compare-runs", "--filter", "since=1d", "--best", "accuracy")
    assert all(fact in text for fact in ("exit status 2", "interrupted", "highest accuracy: 0.98", "seed=1")), text
    _, text = at_work.types("compare-runs", "--filter", "since=1d", "--best", "accuracy", "--json")
    best = json.loads(text)["best"]["runs"][0]
    assert at_work.types("note", best, "--tag", "paper=yes")[0] == 0

    time.sleep(1.1)  # prune takes whole seconds
    code, text = at_work.types("prune", "--older-than", "1s", "--failed", "--yes")
    assert code == 0 and text.count(" goes: ") == 2, text
    left = [run.name for run in sorted((project / "artifacts" / "runpod").iterdir()) if run.is_dir()]
    assert len(left) == 3 and best in left
    assert best in at_work.types("ls-runs", "--filter", "tag=paper", "--json")[1]
    assert all(pod["ended"] is not None for pod in sim.ledger["pods"])
    assert away.types("audit")[0] == 0
