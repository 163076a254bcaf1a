"""The README's recording of a run: the real screen of a real run on the simulator, as one animated SVG.

    .venv/bin/runpod-sim exec -- .venv/bin/python docs/generate/run_image.py

Carries out examples/digits in a scratch folder and records its screen at regular intervals.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group
from rich.text import Text

from runpod_deploy.config import load
from runpod_deploy.driver import RunOptions, drive
from runpod_deploy.live import real_world
from runpod_deploy.record.new_run import begin
from runpod_deploy.run import Run
from runpod_deploy.terminal.live_view import Picture, rows, summary
from runpod_deploy.terminal.screen import Screen

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "docs" / "images" / "run.svg"
WIDTH, HEIGHT = 92, 22
LOOK_EVERY_S = 1.2
LAST_FRAME_S = 6.0
TITLE = "runpod-deploy run --config digits.yaml --var seed=7"
PAUSE_S = "0.7"


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows on the screen from one instant on."""

    at_s: float
    rows: list[Text]


class Recorder(Screen):
    """A screen that records its pictures instead of drawing them."""

    def __init__(self, run: Run) -> None:
        super().__init__(run, io.StringIO())
        self.frames: list[Frame] = []
        self.over = threading.Event()
        self.began_s = time.monotonic()
        self.looker = threading.Thread(target=self.look_again_and_again)

    def __enter__(self) -> Recorder:
        self.run.listeners.append(self.on_event)
        self.run.printers.append(self.on_output)
        self.looker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.looker.join()
        self.keep([Text(f"$ {TITLE}"), *summary(self.picture(), WIDTH)])
        write(self.frames)

    def look_again_and_again(self) -> None:
        """Keeps a frame at regular intervals until the run is over."""
        while not self.over.wait(LOOK_EVERY_S):
            self.keep(rows(self.picture(), WIDTH, HEIGHT))

    def keep(self, seen: list[Text]) -> None:
        """Adds one frame."""
        self.frames.append(Frame(time.monotonic() - self.began_s, [*seen, *[Text()] * (HEIGHT - len(seen))]))

    def picture(self) -> Picture:
        """The picture on the screen, without the path of the scratch folder."""
        seen = super().picture()
        return Picture(**{**{name: getattr(seen, name) for name in Picture.__slots__}, "run_dir": self.short_dir()})

    def short_dir(self) -> str:
        """The run's folder as seen from its project."""
        return str(self.run.dir.path.relative_to(self.run.spec.project_root))


def write(frames: list[Frame]) -> None:
    """Writes the image, in which each frame is visible for as long as it was on the screen."""
    whole_s = frames[-1].at_s + LAST_FRAME_S
    ends = [*(frame.at_s / whole_s for frame in frames[1:]), 1.0]
    drawn = [svg(frame.rows, f"f{number}") for number, frame in enumerate(frames)]
    head = re.match(r"<svg[^>]*>", drawn[0])
    assert head
    bodies = [re.sub(r"^<svg[^>]*>|</svg>\s*$", "", text) for text in drawn]
    # The fonts that rich names are on another server; our picture must not load anything.
    bodies = [re.sub(r"@font-face \{.*?\}", "", body, flags=re.DOTALL) for body in bodies]
    begins = [0.0, *ends[:-1]]
    shown = [animated(*part, whole_s) for part in zip(bodies, begins, ends, strict=True)]
    IMAGE.parent.mkdir(exist_ok=True)
    IMAGE.write_text("\n".join([head[0], *shown, "</svg>"]) + "\n", encoding="utf-8")


def animated(body: str, begin: float, end: float, whole_s: float) -> str:
    """The frame, visible in its share of the time. Without animation, only the last frame is visible."""
    still = "visible" if end == 1.0 else "hidden"
    times = f'values="hidden;visible;hidden" keyTimes="0;{begin:.4f};{end:.4f}"'
    if begin == 0.0:
        times = f'values="visible;hidden" keyTimes="0;{end:.4f}"'
    move = f'<animate attributeName="visibility" {times} dur="{whole_s:.1f}s" calcMode="discrete" '
    return f'<g visibility="{still}">{move}repeatCount="indefinite"/>{body}</g>'


def svg(seen: list[Text], name: str) -> str:
    """A frame as rich draws it."""
    terminal = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    terminal.print(Group(*seen))
    lines = terminal.export_svg(title=TITLE, unique_id=name).strip().splitlines()
    return "\n".join(line.strip() for line in lines if line.strip() and "<!--" not in line)


def main() -> int:
    """Records a run and returns its exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "digits"
        shutil.copytree(ROOT / "examples" / "digits", project, ignore=shutil.ignore_patterns("artifacts", "results"))
        draft = load(project / "digits.yaml", cli_variables={"seed": "7", "pause": PAUSE_S})
        spec, run_dir = begin(draft)
        state = drive(spec, run_dir, real_world(), RunOptions(screen=Recorder))
        print(f"{IMAGE.relative_to(ROOT)}: {IMAGE.stat().st_size} bytes, {datetime.now(UTC):%Y-%m-%d}")
        return state.exit_code


if __name__ == "__main__":
    sys.exit(main())
