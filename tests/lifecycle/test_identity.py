"""A name is not an identity, and one 404 is not absence: runs among pods, keys and answers that mislead."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runpod_deploy.cloud.values import Address
from runpod_deploy.driver import pod_of
from runpod_deploy.errors import AnswerUnclear, AuthRefused, CloudUnreachable, Interrupt
from runpod_deploy.lifecycle import carry_out
from runpod_deploy.phases import late
from runpod_deploy.pod.protocol import Host
from runpod_deploy.record import events as e
from runpod_deploy.record.paths import RunDir
from runpod_deploy.record.state import State
from runpod_deploy.run import Run
from runpod_deploy.spec import LifecyclePolicySpec, Spec
from tests.lifecycle.test_carry_out import FirstAt, lose_first_answer
from tests.lifecycle.test_recycle import second_run
from tests.support.worlds import Killed, Memory, with_job


def named(world: Memory, kind: type[e.Event]) -> list[e.Event]:
    """The events of that kind in the journal."""
    return [event for event in world.events if isinstance(event, kind)]


def dies_at(kind: type[e.Event]) -> Callable[[e.Event, State], None]:
    """A listener that kills the process at the first event of that kind."""

    def listen(event: e.Event, _state: State) -> None:
        if isinstance(event, kind):
            raise Killed

    return listen


def killed_at(world: Memory, kind: type[e.Event]) -> None:
    """The driver was killed at the first event of that kind."""
    with pytest.raises(Killed):
        carry_out(world.open(dies_at(kind)))


def test_a_pod_of_another_run_with_the_same_name_is_never_adopted_nor_ended(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    foreign = world.cloud.add_foreign(world.spec.run_id, {"RUNPOD_DEPLOY_RUN_TOKEN": "22" * 16})
    by_hand = world.cloud.add_foreign(world.spec.run_id)
    world.on_effect = FirstAt("before create", lambda: AnswerUnclear("connection reset"))
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and state.pod.id not in (foreign.id, by_hand.id)
    assert {pod.id for pod in world.cloud.billing} == {foreign.id, by_hand.id}
    assert not any(call.endswith((foreign.id, by_hand.id)) for call in world.cloud.calls)


def test_a_run_of_an_older_version_never_takes_a_pod_with_a_token(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.spec = replace(world.spec, token="")
    foreign = world.cloud.add_foreign(world.spec.run_id, {"RUNPOD_DEPLOY_RUN_TOKEN": "22" * 16})
    world.on_effect = lose_first_answer()
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and [pod.id for pod in world.cloud.billing] == [foreign.id]


def test_a_pod_whose_name_the_api_has_shortened_is_still_found(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.name_chars = 8
    world.on_effect = lose_first_answer()
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and len(world.cloud.created) == 1 and world.cloud.billing == []


@pytest.mark.parametrize("at", [e.PodRequested, e.PodCreated, e.JobLaunched])
def test_a_key_of_another_account_does_nothing_and_believes_nothing(tmp_path: Path, at: type[e.Event]) -> None:
    world = Memory(tmp_path)
    killed_at(world, at)
    if at is e.PodRequested:
        world.cloud.add_foreign(world.spec.run_id, {"RUNPOD_DEPLOY_RUN_TOKEN": world.spec.token})
    before = world.dir.events.read_bytes()
    world.cloud.change_key("key-2", "account-2")
    with pytest.raises(AuthRefused, match="another API key") as caught:
        carry_out(world.open())
    assert caught.value.exit_code == 4 and world.dir.events.read_bytes() == before
    assert not any(call.startswith(("delete", "stop")) for call in world.cloud.calls)
    world.cloud.change_key("key-1")
    assert carry_out(world.open()).outcome == "succeeded" and world.cloud.billing == []


def test_a_replaced_key_of_the_same_account_goes_on(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    killed_at(world, e.JobLaunched)
    world.cloud.change_key("key-2")
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and len(named(world, e.KeyChanged)) == 1


def test_a_pull_with_a_key_of_another_account_does_not_say_that_the_pod_is_gone(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    killed_at(world, e.JobLaunched)
    world.cloud.change_key("key-2", "account-2")
    with pytest.raises(AuthRefused):
        pod_of(world.open())


def without_account(world: Memory) -> None:
    """The journal does not tell with which key the pod was requested."""
    rows = [json.loads(line) for line in world.dir.events.read_text().splitlines()]
    kept = [{name: value for name, value in row.items() if name != "account"} for row in rows]
    world.dir.events.write_text("".join(f"{json.dumps(row)}\n" for row in kept))


def refuse_effects(where: str) -> None:
    """Nothing may be changed on a pod or in the cloud now."""
    raise AssertionError(where)


def test_a_journal_without_an_account_proves_no_pod(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    killed_at(world, e.JobLaunched)
    without_account(world)
    before = world.dir.events.read_bytes()
    world.cloud.change_key("key-2", "account-2")
    world.on_effect = refuse_effects
    with pytest.raises(AuthRefused, match="sees no pod"):
        carry_out(world.open())
    world.cloud.change_key("key-1")
    world.cloud.refusal = CloudUnreachable("no connection")
    with pytest.raises(CloudUnreachable):
        carry_out(world.open())
    assert world.dir.events.read_bytes() == before
    world.on_effect = world.cloud.refusal = None
    assert carry_out(world.open()).outcome == "succeeded" and world.cloud.billing == []


@pytest.mark.parametrize("at", [e.PodRecycled, e.JobLaunched])
def test_a_recycled_pod_is_of_the_account_that_took_it(tmp_path: Path, at: type[e.Event]) -> None:
    world = second_run(tmp_path)
    killed_at(world, at)
    world.cloud.change_key("key-2", "account-2")
    world.on_effect = refuse_effects
    with pytest.raises(AuthRefused, match="another API key"):
        carry_out(world.open())
    world.cloud.change_key("key-1")
    world.on_effect = None
    assert carry_out(world.open()).outcome == "succeeded" and len(world.cloud.created) == 1


def taken_as_sent(world: Memory, seen: list[Address]) -> Run:
    """The run, opened by a process to which somebody may have sent the folder. `seen` gets the contacted addresses."""
    run = world.open()
    inside = run.world.reach

    def reach(spec: Spec, run_dir: RunDir, address: Address, boot: int) -> Host:
        seen.append(address)
        return inside(spec, run_dir, address, boot)

    run.world, run.prove = replace(run.world, reach=reach), True
    return run


@pytest.mark.parametrize("lies", [0, 1])
def test_no_address_in_a_folder_that_somebody_sent_is_contacted(tmp_path: Path, lies: int) -> None:
    world = Memory(tmp_path)
    killed_at(world, e.JobLaunched)
    theirs = e.PodReachable(host="10.9.9.9", port=666, ts_utc=world.clock.now())
    world.open().record(theirs)
    world.cloud.lies = dict.fromkeys(world.cloud.rented, lies)
    seen: list[Address] = []
    state = carry_out(taken_as_sent(world, seen))
    assert state.outcome == "succeeded" and world.cloud.billing == []
    assert set(seen) == {world.cloud.address}


def test_a_pod_that_a_sent_folder_names_is_contacted_nowhere_once_it_is_gone(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    killed_at(world, e.JobLaunched)
    world.cloud.vanish(next(iter(world.cloud.rented)))
    seen: list[Address] = []
    assert carry_out(taken_as_sent(world, seen)).exit_code == 22 and seen == []


@pytest.mark.parametrize("env", [{}, {"RUNPOD_DEPLOY_RUN_TOKEN": "22" * 16}])
def test_a_sent_folder_ends_no_pod_that_does_not_bear_its_token(tmp_path: Path, env: dict[str, str]) -> None:
    world = Memory(tmp_path)
    killed_at(world, e.JobLaunched)
    mine = world.cloud.add_foreign(world.spec.run_id, env)
    text = world.dir.events.read_text().replace(next(iter(world.cloud.rented)), mine.id)
    world.dir.events.write_text(text)
    world.on_effect = refuse_effects
    with pytest.raises(AuthRefused, match="sees no pod"):
        carry_out(taken_as_sent(world, []))


@pytest.mark.parametrize("lies", [1, 2, 3])
def test_a_404_of_the_release_is_not_believed_while_the_pod_runs(tmp_path: Path, lies: int) -> None:
    world = Memory(tmp_path)

    def lie(where: str) -> None:
        if where.startswith("before delete"):
            world.on_effect = None
            world.cloud.lies = dict.fromkeys(world.cloud.rented, lies)

    world.on_effect = lie
    state = carry_out(world.open())
    assert state.exit_code == 0 and state.end.released and world.cloud.billing == []


def test_a_pod_that_answers_over_ssh_is_not_gone_whatever_the_api_says(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def lie(where: str) -> None:
        if where.startswith("before delete"):
            world.cloud.lies = dict.fromkeys(world.cloud.rented, 10**6)
            world.cloud.hidden = set(world.cloud.rented)

    world.on_effect = lie
    state = carry_out(world.open())
    assert state.exit_code == 9 and world.cloud.billing
    world.on_effect, world.cloud.lies, world.cloud.hidden = None, {}, set()
    assert carry_out(world.open()).exit_code == 0 and world.cloud.billing == []


def test_a_pod_that_is_missing_from_a_listing_while_it_boots_is_asked_for_by_its_id(tmp_path: Path) -> None:
    world = Memory(tmp_path)

    def hide(event: e.Event, _state: State) -> None:
        if isinstance(event, e.PodBooting):
            world.cloud.hidden = set(world.cloud.rented)

    state = carry_out(world.open(hide))
    assert state.outcome == "succeeded" and len(world.cloud.created) == 1


@pytest.mark.parametrize("late_s", [1.0, 40.0, 85.0])
def test_a_pod_that_comes_late_is_used_and_never_left(tmp_path: Path, late_s: float) -> None:
    world = Memory(tmp_path)
    world.cloud.late_create_s = late_s
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and len(world.cloud.created) == 1
    world.clock.advance(200)
    assert world.cloud.billing == []


@pytest.mark.parametrize("late_s", [1.0, 40.0, 85.0, 140.0])
@pytest.mark.parametrize("lag_s", [0.0, 60.0])
def test_a_run_that_ends_in_an_unclear_create_waits_for_its_pod(tmp_path: Path, late_s: float, lag_s: float) -> None:
    if late_s + lag_s > 150:
        pytest.skip("later than a pod was ever seen to come")
    world = Memory(tmp_path)
    world.cloud.late_create_s, world.cloud.listing_lag_s = late_s, lag_s
    world.on_effect = FirstAt("after create", lambda: Interrupt("SIGINT"))
    state = carry_out(world.open())
    world.clock.advance(300)
    assert state.exit_code == 130 and world.cloud.billing == [] and len(named(world, e.LatePodFound)) == 1


def test_a_run_that_cannot_tell_whether_a_pod_comes_says_so_and_looks_again(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.late_create_s = 100.0
    real = world.cloud.find

    def unreachable(name: str, token: str = "") -> list[object]:
        raise CloudUnreachable("no connection")

    world.cloud.find = unreachable  # type: ignore[method-assign, assignment]
    state = carry_out(world.open())
    assert state.exit_code == 9
    last = state.end.closing_failures[-1]
    assert f"A POD NAMED {world.spec.run_id} MAY STILL APPEAR AND BILL at $0.40 per hour" in last.message
    assert "its guard ends it at" in last.message and f"resume {world.dir.path}" in last.hint
    world.cloud.find = real  # type: ignore[method-assign]
    assert carry_out(world.open()).exit_code == 5 and world.cloud.billing == []


def test_one_empty_listing_after_looks_that_failed_proves_nothing(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.late_create_s = 40.0
    lies: list[list[object]] = [[]]
    begun_s = world.clock.monotonic()

    def unreachable_but_once(name: str, token: str = "") -> list[object]:
        if lies and world.clock.monotonic() - begun_s >= late.CREATE_TAKES_S + late.UNSEEN_FOR_S:
            return lies.pop()
        raise CloudUnreachable("no connection")

    world.cloud.find = unreachable_but_once  # type: ignore[method-assign, assignment]
    assert carry_out(world.open()).exit_code == 9 and not lies


def test_two_late_pods_are_one_that_is_used_and_one_that_is_ended(tmp_path: Path) -> None:
    world = Memory(tmp_path)
    world.cloud.late_create_s = 95.0
    state = carry_out(world.open())
    world.clock.advance(300)
    assert state.outcome == "succeeded" and world.cloud.billing == []
    assert len(world.cloud.created) == 2 and len(named(world, e.LatePodFound)) == 1


def test_a_locked_pod_is_named_as_that_in_the_last_line(tmp_path: Path) -> None:
    world = Memory(tmp_path, job_exit_code=3)
    world.spec = with_job(world.spec, lifecycle=LifecyclePolicySpec(on_success="delete", on_failure="stop"))
    killed_at(world, e.JobLaunched)
    world.cloud.locked = set(world.cloud.rented)
    state = carry_out(world.open())
    assert state.exit_code == 9 and "it is locked" in state.end.closing_failures[-1].message
    world.cloud.locked = set()
    assert carry_out(world.open()).exit_code == 20 and world.cloud.billing == []


@pytest.mark.parametrize(("at", "exit_code"), [(e.PodCreated, 6), (e.JobLaunched, 9)])
def test_a_pod_in_error_cannot_be_stopped_and_is_deleted_only_if_it_holds_no_results(
    tmp_path: Path, at: type[e.Event], exit_code: int
) -> None:
    world = Memory(tmp_path)
    world.spec = with_job(world.spec, lifecycle=LifecyclePolicySpec(on_success="delete", on_failure="stop"))
    killed_at(world, at)
    world.cloud.sold_out = {(offer.gpu_id, offer.datacenter_id) for offer in world.cloud.offers}
    world.cloud.fail(next(iter(world.cloud.rented)))
    run = world.open()
    run.record(e.PhaseFailed(phase="connect", kind="boot_timeout", message="it never booted"))
    state = carry_out(run)
    assert state.exit_code == exit_code, state.end
    if exit_code == 9:
        words = state.end.closing_failures[-1]
        assert "ERROR" in words.message and "audit --reap --pod" in words.hint
    else:
        assert world.cloud.list_pods() == []


def test_a_paused_pod_that_was_renamed_is_taken_up(tmp_path: Path) -> None:
    world = second_run(tmp_path)
    first = next(iter(world.cloud.rented.values()))
    first.pod = replace(first.pod, name="renamed by hand")
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and state.pod.resumed and len(world.cloud.created) == 1


@pytest.mark.parametrize("change", ["started", "foreign", "force_fresh"])
def test_a_paused_pod_that_is_not_used_is_named_with_its_price(tmp_path: Path, change: str) -> None:
    world = second_run(tmp_path)
    first = next(iter(world.cloud.rented.values()))
    if change == "started":
        first.pod = replace(first.pod, status="RUNNING")
    elif change == "foreign":
        first.pod = replace(first.pod, env={"RUNPOD_DEPLOY_RUN_TOKEN": "33" * 16})
    else:
        world.spec = replace(world.spec, force_fresh=True)
    state = carry_out(world.open())
    (left,) = named(world, e.PodLeftBehind)
    assert isinstance(left, e.PodLeftBehind) and left.pod_id == first.pod.id and left.usd_per_hour > 0
    assert state.outcome == "succeeded" and state.pod.id != first.pod.id
    assert first.deleted_at is None and state.request.left_behind == (first.pod.id,)


def test_a_paused_pod_that_one_answer_does_not_know_is_taken_up_all_the_same(tmp_path: Path) -> None:
    world = second_run(tmp_path)
    world.cloud.lies = {next(iter(world.cloud.rented)): 1}
    state = carry_out(world.open())
    assert state.outcome == "succeeded" and state.pod.resumed and len(world.cloud.created) == 1
