"""Torture for a driver: it is killed, paused and cut off while the simulated cloud fails, and the ledger is judged.

    cases     what is done to one run; made from a seed
    project   a copy of the user's project, and what files a run left in it
    driver    the driver's processes: run, resume, audit; killed when its journal reaches a row
    play      one case, on a simulator of its own
    judge     what must be true whatever happened
    table     the result as text
    command   `runpod-sim chaos`

All that is known of the driver is its outside: `run`, `resume` and `audit` on the command line, `RUN_DIR=` on
stdout, and rows with an "event" in events.jsonl.
"""
