"""Each sweep recipe under torture: pods, seeds finished twice, pods left, and money against the total.

    .venv/bin/python bench/sweeps.py [--seeds 40] [--recipe durable-postgres] [--what kill]

What kill, two, lost, cap and halt do is in tests/recipes/torture.py. A seed is finished twice if two of its runs
succeeded. Needs the libraries of the recipes: pip install -e '.[recipes]'. Exit 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.recipes.torture import RECIPE, TORTURES, torture
from tests.support.postgres import postgres


def main() -> int:
    """The exit status: 0 if every promise was kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recipe", action="append", choices=list(RECIPE))
    parser.add_argument("--what", action="append", choices=TORTURES)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    names, tortures = options.recipe or list(RECIPE), options.what or TORTURES
    print("| recipe | torture | pods (ideal) | finished | twice | left | USD of total | |")
    print("|---|---|---|---|---|---|---|---|")
    broken = 0
    for name in names:
        for what in tortures:
            broken += show(name, what, options)
    return 1 if broken else 0


def show(name: str, what: str, options: argparse.Namespace) -> bool:
    """Prints the row of one sweep; whether a promise was broken."""
    if what == "lost" and not RECIPE[name].machines:
        return False
    if "postgres" in name:
        with postgres() as url:
            found = torture(name, what, options.seeds, options.kills, url)
    else:
        found = torture(name, what, options.seeds, options.kills)
    wrong = found.broken(what, options.seeds)
    figures = f"{found.pods} ({found.ideal}) | {found.finished} | {found.twice} | {found.left}"
    money = f"{found.billed_usd:.0f} of {found.total_usd:.0f}"
    print(f"| {name} | {what} | {figures} | {money} | {', '.join(wrong) or 'kept'} |", flush=True)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
