"""How much may come from outside. Whatever a pod, an answer or a run folder holds, memory here stays small.

Each limit is far above what honest sources need, so that only a broken or hostile one meets it. Beyond a limit comes
an error of ours, and the run goes on by its rules. Transfers have limits of their own in `pod/transfer/limits.py`, and
JSON in `spec/strict_json.py`. Knows numbers; knows no protocol.
"""

from __future__ import annotations

FRAME_LOG_BYTES = 64 << 20
"""Log bytes that one frame of the follow channel may announce. The script on the pod sends at most 16 MB in a frame."""
LOG_BYTES = 64 << 30
"""Bytes of the copy of a job's log, and of the console: a megabyte a second for 18 hours. This disk stays free."""
FRAME_SAMPLE_BYTES = 256 << 10
"""Bytes of one sample: a row for each of a hundred GPUs has 20 kB."""
SAMPLES_BYTES = 1 << 30
"""Bytes of metrics.jsonl: a row of eight GPUs every ten seconds for two months. A pod must not fill this disk."""
FRAME_HEADER_BYTES = 64
"""Bytes of a frame's first line: a letter, a number of twenty digits, a word."""
STDERR_BYTES = 1 << 20
"""Bytes that are kept of what a running command writes to stderr: thousands of warnings."""
JOB_ROW_BYTES = 64 << 10
"""Bytes of one row that a job adds to the journal. Larger results belong into an artifact."""
JOB_ROWS = 100_000
"""Rows that a job may add to the journal: one a second for a day. Each costs a write that is synced to the disk."""
EVENT_TEXT_CHARS = 16 << 10
"""Characters of a text in an event of ours: what a command has said about its failure is rarely longer than a page."""
EVENT_TEXTS, LISTED_TEXT_CHARS = 500, 2048
"""Texts of a list in an event of ours, and characters of each. A row with all of it is shorter than a row may be."""
JOB_NAME_CHARS = 200
"""Characters of the name of a step or of a job's own event."""
JOB_METRICS = 200
"""Different numbers that are kept of what a job reports. A table of runs has a column for each."""
JOB_LINKS = 20
"""Different links that are kept of what a job reports."""
JOB_LINK_CHARS = 2000
"""Characters of such a link: browsers and servers take no longer ones."""
METRICS_FILE_BYTES = 4 << 20
"""Bytes of an artifact with the results of a job. Its numbers are in the journal and in the manifest."""
CHANNEL_SILENT_S = 90.0
"""A follow channel that brings nothing for that long does not work: a working one shows a sign of life each second."""
END_WITHIN_S = 30.0
"""The end of a job that was stopped comes within a second, after the rest of its log."""
QUICK_LOSS_S = 10.0
"""A follow channel that is lost within this time after it was opened has not worked."""
QUICK_LOSSES = 3
"""After this many channels in a row that have not worked, the end of a job that was stopped is not waited for."""
LONGEST_PAUSE_S = 30.0
"""The longest pause before the next try of a channel that does not work."""
ANSWER_BYTES = 8 << 20
"""Bytes of one answer of the API, or of one list over all of its pages, after decompression. A pod's row has 2 to 8 kB,
so this is a thousand pods."""
LIST_ROWS = 10_000
"""Rows of one list over all of its pages. An account has tens of pods, and the catalogue hundreds of offers."""
ANSWER_VALUES = 400_000
"""Values in the JSON of one answer, counted by its brackets and commas: a thousand pods have half as many. In memory,
an empty list takes thirty times as many bytes as in JSON."""
EXPLANATION_CHARS, EXPLANATIONS = 1000, 10
"""Characters of an explanation in a refusal of the API, and how many of them are read: a sentence or two each."""
LARGEST_NUMBER = 1e15
"""A larger number in an answer is neither a price, a size, a count nor a time."""
CLOUD_LOG_BYTES = 8 << 20
"""Bytes of a pod's log at the cloud: 5,000 lines of both sources, with 800 bytes each."""
CLOUD_LOG_EVENT_BYTES = 1 << 20
"""Bytes of one line of that log."""
LONGEST_WINDOW_S = 86_400.0
"""The longest window of a rate limit. RunPod has one of a minute and one of an hour (2026-11)."""
LONGEST_ROW_BYTES = 16 << 20
"""Bytes of one line of a journal or of a table of metrics. A job's row has at most 64 kB; other tools write more."""
ROWS_BYTES = 8 << 30
"""Bytes of a file of rows: the 100,000 rows of a job with 64 kB each, and the run's own."""
RECORD_BYTES = 16 << 20
"""Bytes of a spec, a manifest or a state file. A config has at most 1 MB; metadata of a job may come on top of it."""
UPLOADED_JOURNAL_BYTES = 16 << 20
"""Bytes of a journal that is copied to a server: the whole of it is in memory, and it is sent again and again."""
SECRET_BYTES = 16 << 20
"""Bytes of the file of a secret. Keys and credentials have kilobytes; it is held in memory while it is sent."""
NOTE_BYTES = 64 << 10
"""Bytes of a public key, or of a note that names a process: both are one line."""
ENV_FILE_BYTES = 1 << 20
"""Bytes of a file of variables, and of their values: a process gets no more in its environment."""
ENV_FILE_LINES = 10_000
"""Lines of a file of variables."""
PROJECT_FILE_BYTES = 4 << 20
"""Bytes of a pyproject.toml, which people write by hand. Larger ones take seconds to parse."""
LOCKFILE_BYTES = 64 << 20
"""Bytes of a lockfile: the largest ones list a few thousand packages, and have 10 to 20 MB."""
SHOWN_LOG_BYTES = 64 << 20
"""Bytes at the end of a log among which its last lines are looked for. A job may write gigabytes without a line end."""
