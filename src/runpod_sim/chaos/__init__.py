"""Fault injection for a driver: it is killed, paused and cut off while the cloud fails; then its bill is checked.

    cases     what disturbs each run: faults of the cloud, and kills at rows of the journal; made from a seed
    fault_lists  these faults
    project   a copy of the user's project, and the files that a run left in it
    driver    the driver's processes: run, resume, audit; a disturbance comes when the journal reaches its row
    calls     the driver's calls in one case, and what happens meanwhile
    foreign   pods of other people, to which nothing may be done
    guards    the time after a driver is gone
    outcome   the facts about one case
    runner    one case on a simulator of its own, and its outcome
    judge     the promises that hold in every case, and which of them an outcome breaks
    table     the result as text
    command   `runpod-sim chaos`

Only the outside of the driver is known: `run`, `resume` and `audit` on the command line, `RUN_DIR=` on stdout, and
rows with an "event" in events.jsonl.
"""
