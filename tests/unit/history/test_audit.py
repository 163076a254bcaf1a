"""Which pods are called leftovers, and which never are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runpod_deploy.cloud.pod_labels import origin
from runpod_deploy.cloud.values import Address, Pod
from runpod_deploy.history.audit import DEADLINE_GRACE, audit, judge
from runpod_deploy.history.known_runs import KnownRun
from runpod_deploy.record.parts import Cost, End, JobState, PodState, Request
from runpod_deploy.record.state import State

BORN = datetime(2026, 11, 1, 12, tzinfo=UTC)
RUN_ID = "train-20261101T120000Z"


def pod(*, marked: bool = True, lasts: timedelta = timedelta(hours=1), boots: timedelta = timedelta(minutes=15)) -> Pod:
    """A pod of the run that booted."""
    marks = {
        "RUNPOD_DEPLOY_RUN_ID": RUN_ID,
        "RUNPOD_DEPLOY_DEADLINE": str((BORN + lasts).timestamp()),
        "RUNPOD_DEPLOY_BOOT_DEADLINE": str((BORN + boots).timestamp()),
    }
    return Pod(
        id="pod",
        name=RUN_ID,
        status="RUNNING",
        usd_per_hour=0.5,
        created_at=BORN,
        started_at=BORN,
        uptime_s=60,
        env=marks if marked else {},
    )


def reason(subject: Pod, after: timedelta, *runs: KnownRun) -> str | None:
    finding = judge(subject, runs, BORN + after)
    return finding.reason if finding else None


def known(state: State, *, held: bool = False) -> KnownRun:
    return KnownRun(path=Path("run"), state=state, held=held)


def test_a_pod_past_its_deadline_is_a_leftover_after_the_grace() -> None:
    hour = timedelta(hours=1)
    assert reason(pod(), hour) == "unknown"
    assert reason(pod(), hour + DEADLINE_GRACE + timedelta(seconds=1)) == "past_deadline"


def test_a_pod_that_is_cheaper_than_expected_may_live_as_long_as_its_cap_lasts() -> None:
    cheap = pod()
    cheap = replace(cheap, env={**cheap.env, "RUNPOD_DEPLOY_COST_CAP_USD": "2.0", "RUNPOD_DEPLOY_CLOSING_S": "370"})
    assert reason(cheap, timedelta(hours=4, minutes=8)) == "unknown"
    assert reason(cheap, timedelta(hours=4, minutes=9)) == "past_deadline"
    assert reason(replace(cheap, usd_per_hour=9.0), timedelta(hours=1, minutes=5)) == "past_deadline"


def test_a_pod_whose_driver_is_gone_is_left_to_its_guard_for_as_long_as_that_lasts() -> None:
    at = timedelta(hours=1)
    run = known(
        State(
            run_id=RUN_ID,
            pod=PodState(id="pod", guard_deadline_at=BORN + at * 2),
            cost=Cost(stop_at=BORN + at),
        )
    )
    assert reason(pod(), timedelta(hours=1, minutes=30), run) == "driver_gone"
    assert reason(pod(), timedelta(hours=2, minutes=3), run) == "past_deadline"


def test_what_a_guard_has_paused_may_hold_results_and_is_never_a_leftover() -> None:
    paused = replace(pod(), status="EXITED", uptime_s=None)
    run = known(
        State(run_id=RUN_ID, pod=PodState(id="pod", address=Address(host="h", port=1)), cost=Cost(stop_at=BORN))
    )
    assert reason(paused, timedelta(days=9), run) == "driver_gone"


def test_a_pod_that_another_run_resumed_gets_its_time_anew() -> None:
    resumed = replace(pod(), started_at=BORN + timedelta(days=1))
    assert reason(resumed, timedelta(days=1, minutes=30)) == "unknown"
    assert reason(resumed, timedelta(days=1, hours=2)) == "past_deadline"


def test_a_stopped_pod_is_nobody_s_business_here() -> None:
    assert reason(replace(pod(), status="EXITED", uptime_s=None), timedelta(days=9)) is None


def test_a_pod_that_does_not_say_when_it_was_made_is_never_a_leftover_by_itself() -> None:
    silent = replace(pod(), created_at=None, started_at=None, uptime_s=None, env={"RUNPOD_DEPLOY_RUN_ID": RUN_ID})
    assert reason(silent, timedelta(days=9)) == "unknown"


def test_marks_that_make_no_sense_are_no_evidence() -> None:
    odd = replace(pod(), env={"RUNPOD_DEPLOY_RUN_ID": RUN_ID, "RUNPOD_DEPLOY_DEADLINE": "soon"})
    assert reason(odd, timedelta(days=9)) == "unknown"


def test_a_given_up_pod_is_a_leftover_of_a_run_that_goes_on_without_a_driver() -> None:
    run = known(State(run_id=RUN_ID, pod=PodState(id="other", abandoned=("pod",), discarding="pod")))
    assert reason(pod(), timedelta(minutes=1), run) == "over"


def test_a_pod_that_never_answered_is_a_leftover_as_soon_as_its_driver_is_gone() -> None:
    booting = replace(pod(), uptime_s=None)
    assert reason(booting, timedelta(minutes=1), known(State(run_id=RUN_ID, pod=PodState(id="pod")))) == "never_booted"
    reached = State(run_id=RUN_ID, pod=PodState(id="pod", address=Address(host="h", port=1)))
    assert reason(booting, timedelta(minutes=1), known(reached)) == "driver_gone"


TOKEN = "11" * 16


def marked(subject: Pod, token: str = TOKEN) -> Pod:
    """The pod with a token."""
    return replace(subject, env={**subject.env, "RUNPOD_DEPLOY_RUN_TOKEN": token})


def over(pod_id: str = "pod", token: str = TOKEN) -> KnownRun:
    """A run that has ended without a confirmed release."""
    end = End(finished=True, finished_at=BORN + timedelta(hours=1))
    return known(State(run_id=RUN_ID, request=Request(token=token, made=True), pod=PodState(id=pod_id), end=end))


def test_a_pod_with_the_token_that_the_journal_names_is_over_with_its_run() -> None:
    assert reason(marked(pod()), timedelta(minutes=5), over()) == "over"
    assert reason(marked(replace(pod(), name="renamed")), timedelta(minutes=5), over()) == "over"


def test_a_pod_of_another_run_with_the_same_name_is_not_judged_by_this_run() -> None:
    assert reason(marked(pod(), "22" * 16), timedelta(minutes=5), over()) == "unknown"
    assert reason(marked(pod(), "22" * 16), timedelta(minutes=5), over(token="")) == "unknown"


def test_a_pod_with_the_token_and_another_id_may_hold_results_and_is_only_deleted_by_its_id() -> None:
    finding = judge(marked(pod()), [over("other")], BORN + timedelta(days=9))
    assert finding is not None and finding.reason == "unknown" and finding.by_id_only and not finding.leftover
    assert "--pod pod" in finding.explanation and "other" in finding.explanation


def test_a_pod_that_its_run_was_to_keep_is_not_deleted_because_another_was_not_confirmed() -> None:
    job, here = JobState(pid=7), PodState(id="pod", guard_deadline_at=BORN + timedelta(hours=1))
    for action, paused in (("stop", "driver_gone"), ("delete", "over")):
        end = End(finished=True, release_action=action)
        run = known(State(run_id=RUN_ID, request=Request(token=TOKEN, made=True), pod=here, job=job, end=end))
        for status, wanted in (("EXITED", paused), ("RUNNING", "over")):
            assert reason(marked(replace(pod(), status=status)), timedelta(minutes=5), run) == wanted


def test_a_late_pod_is_over_if_it_was_created_before_its_run_ended_and_unknown_after_that() -> None:
    asked = Request(token=TOKEN, made=True, asked_at=BORN - timedelta(minutes=1))
    for ended, wanted in ((BORN + timedelta(minutes=1), "over"), (BORN - timedelta(seconds=1), "unknown")):
        end = End(finished=True, finished_at=ended)
        run = known(State(run_id=RUN_ID, request=asked, end=end))
        assert reason(marked(pod()), timedelta(minutes=5), run) == wanted


def test_a_pod_that_lost_its_token_is_not_deleted_unasked() -> None:
    finding = judge(pod(), [over()], BORN + timedelta(minutes=5))
    assert finding is not None and finding.reason == "unknown" and finding.by_id_only


def test_a_paused_pod_that_a_run_left_behind_is_found() -> None:
    paused = marked(replace(pod(), status="EXITED", uptime_s=None))
    end = End(finished=True, released=True, release_action="stop")
    first = known(State(run_id=RUN_ID, request=Request(token=TOKEN), pod=PodState(id="pod"), end=end))
    assert reason(paused, timedelta(days=1), first) is None
    second = known(State(run_id="second", request=Request(token="22" * 16, left_behind=("pod",))), held=True)
    finding = judge(paused, [first, second], BORN + timedelta(days=1))
    assert finding is not None and finding.reason == "left_behind" and finding.by_id_only and not finding.leftover


def test_a_locked_pod_is_called_that() -> None:
    finding = judge(marked(replace(pod(), locked=True)), [over()], BORN + timedelta(minutes=5))
    assert finding is not None and "locked" in finding.explanation


STATUSES = st.sampled_from(["PROVISIONING", "STARTING", "RUNNING", "EXITED", "ERROR", "NEW"])
AGES = st.timedeltas(timedelta(), timedelta(days=30))
NAMES = st.text(max_size=20).filter(lambda name: origin(replace(pod(marked=False), name=name)) is None)


@given(STATUSES, AGES, st.booleans(), st.none() | st.integers(0, 10))
def test_the_pod_of_a_run_that_is_carried_out_is_never_found(
    status: str, age: timedelta, finished: bool, uptime_s: int | None
) -> None:
    subject = replace(pod(), status=status, uptime_s=uptime_s)
    live = known(State(run_id=RUN_ID, pod=PodState(id="pod"), end=End(finished=finished)), held=True)
    dead = known(State(run_id=RUN_ID, pod=PodState(id="pod"), end=End(finished=True)))
    assert audit([subject], [dead, live], BORN + age) == []


@given(NAMES, STATUSES, AGES, st.dictionaries(st.sampled_from(["A", "RUNPOD_DEPLOY_DEADLINE"]), st.just("0")))
def test_a_pod_that_does_not_say_that_it_is_ours_is_never_found(
    name: str, status: str, age: timedelta, env: dict[str, str]
) -> None:
    assert audit([replace(pod(), name=name, status=status, env=env, uptime_s=None)], [], BORN + age) == []


@given(STATUSES, AGES)
def test_a_name_alone_never_makes_a_leftover(status: str, age: timedelta) -> None:
    findings = audit([replace(pod(marked=False), status=status, uptime_s=None)], [], BORN + age)
    assert not any(finding.leftover for finding in findings)


def test_a_pod_with_a_mapped_port_has_booted_though_the_api_tells_no_uptime() -> None:
    silent = replace(pod(lasts=timedelta(days=1)), uptime_s=None, address=Address(host="h", port=1))
    assert reason(silent, timedelta(hours=3)) == "unknown"
