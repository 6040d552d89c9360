"""What is derived from a transcript that is ready: from the event to the rows, whatever breaks off in between."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from recording_insights.aws import reply_bucket
from recording_insights.derive import steps
from recording_insights.errors import ModelUnusable, ProviderBusy, ProviderUnavailable
from recording_insights.model.derived import KINDS, LISTED
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.report_failure import report_stopped_execution
from recording_insights.recordings.derivation import state_of as shown_state
from recording_insights.recordings.end import end_left
from recording_insights.store.derivations import turn_of
from recording_insights.sweep.turns import tidy_turns
from recording_insights.watch.check_recording import check_recording
from recording_insights.watch.progress import Watch
from sandbox.stand_ins.bedrock.dials import BedrockDials
from tests.unit.crashing_table import Crash, CrashingTable, crashes_at_every_write
from tests.unit.derive.derivation_scene import RECORDINGS, REPLIES, STAGE, TALK, DerivationScene
from tests.unit.derive.fake_model import ScriptedModel, nothing, stand_in

LONG = [(str(place % 2), f"This is sentence number {place} of a conversation. " * 40) for place in range(200)]
"""A conversation of several parts."""
OF_PART = {
    **{kind: [] for kind in LISTED},
    "summary": [{"text": "It is about an offer.", "evidence": ["u1"]}],
}
TITLE = {"title": {"text": "", "evidence": []}, "short_summary": []}


def begun(
    table: CrashingTable | None = None, model: Any = None, **scene: Any
) -> tuple[DerivationScene, dict[str, Any]]:
    """A scene whose execution has been started, and the input of the execution."""
    made = DerivationScene(table or CrashingTable(), model or stand_in(), **scene)
    name = made.begin()
    assert name is not None
    return made, json.loads(made.executions[name])


def test_a_transcript_that_is_ready_is_derived_from(clock: Any) -> None:
    scene = DerivationScene(CrashingTable(), stand_in())
    assert (scene.recording["status"], scene.recording["insights"], scene.recording["derivations"]) == (
        "done",
        "pending",
        1,
    )
    version = scene.recording["version"]

    name = scene.begin()

    row = scene.row
    assert name == row["execution"] == f"{scene.recording_id}-{row['digest'][:12]}-1"
    [state] = scene.executions.values()
    assert json.loads(state) == {"recording_id": scene.recording_id, "digest": row["digest"], "number": 1}
    assert (row["state"], row["model"], row["provider"]) == ("pending", STAGE.model, "bedrock")
    [step] = scene.run(json.loads(state))
    assert (step["outcome"], scene.model.calls) == ("over", 1)
    assert (scene.recording["insights"], scene.recording["version"]) == ("done", version + 1)
    assert (scene.row["state"], scene.row["calls"]) == ("done", 1)
    [action] = [row for sort, row in scene.statements.items() if "#action_items#" in sort and "0001" in sort]
    assert action["evidence"], "with the lines that prove it"
    lines = {f"{line}" for line in range(1, len(TALK) + 1)}
    assert {evidence.rpartition("-")[2] for row in scene.statements.values() for evidence in row["evidence"]} <= lines
    assert scene.kept == ["answer-0001.json", "conversation.json", "progress.json"]
    assert scene.turns.store.read("bedrock").slots[0].get("holder") is None, "the slot is free again"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"kinds": ["title"]}, ["title"]), ({}, [kind for kind in KINDS if kind != "topics"])],
)
def test_the_brief_of_a_recording_come_before_those_of_the_stage(given: Any, expected: Sequence[str]) -> None:
    scene = DerivationScene(CrashingTable(), stand_in())
    scene.recording_id = scene.say(TALK, "other.mp4", given | {"language": "de", "prompt": "Be brief."})
    stage = STAGE.__class__(STAGE.model, expected if not given else ("summary",), "fr", "We sell tables.")

    scene.begin(stage)

    assert (scene.row["kinds"], scene.row["language"]) == (list(expected), "de")
    kept = next(json.loads(body) for (_, key), body in scene.s3.objects.items() if key.endswith("conversation.json"))
    assert kept["brief"]["prompt"] == "We sell tables.\n\nBe brief.", "the operator's instruction stays"


def test_without_a_choice_nothing_is_derived() -> None:
    scene = DerivationScene(CrashingTable(), stand_in())
    media = MediaObject(RECORDINGS, "plain.mp4", "etag-1", 1000, scene.clock.now())
    scene.recording_id = scene.media.recordings.recording_put_by_hand(media)
    scene.admit(scene.recording_id, media)
    scene.transcribe(scene.recording_id, media.media_id, TALK)

    assert scene.recording["status"] == "done"
    assert not scene.recording.keys() & {"insights", "derivations", "derivation"}
    assert scene.begin() is None
    assert scene.executions == {}


def test_without_a_line_nothing_is_derived() -> None:
    scene = DerivationScene(CrashingTable(), stand_in(), talk=())
    assert scene.recording["status"] == "done"
    assert "insights" not in scene.recording
    assert scene.begin() is None


def test_lines_without_a_word_end_without_a_call() -> None:
    scene, state = begun(talk=[("1", " ")])
    scene.run(state)
    assert (scene.model.calls, scene.recording["insights"], scene.statements) == (0, "done", {})


def test_repeated_events_change_nothing() -> None:
    scene, state = begun()
    before = dict(scene.table.items)
    assert [scene.begin(), scene.begin()] == [*scene.executions] * 2
    assert dict(scene.table.items) == before
    scene.run(state)
    assert scene.begin() is None, "and late ones neither"
    assert (len(scene.executions), scene.model.calls) == (1, 1)


def state_of(scene: DerivationScene) -> dict[str, Any]:
    """What everybody can see afterwards."""
    row: dict[str, Any] = {
        name: value for name, value in scene.row.items() if name not in ("waiting_since", "ended_at")
    }
    return {
        "row": row,
        "statements": scene.statements,
        "insights": scene.recording["insights"],
        "slots": [slot.get("holder") for slot in scene.turns.store.read("bedrock").slots.values()],
        "queue": list(scene.turns.store.waiting("bedrock")),
        "kept": scene.kept,
    }


@pytest.mark.parametrize(("part_tokens", "calls"), [(10_000, 1), (60, 4)], ids=["one part", "parts"])
def test_a_crash_at_any_write_or_call_leads_to_the_same_end(
    monkeypatch: pytest.MonkeyPatch, part_tokens: int, calls: int
) -> None:
    monkeypatch.setattr(steps, "PART_TOKENS", part_tokens)
    whole, state = begun(model=ScriptedModel(OF_PART | TITLE))
    whole.run(state)
    expected = state_of(whole)
    # The lines do not prove what the script says of all parts.
    assert (expected["insights"], whole.model.calls) == ("done" if calls == 1 else "partial", calls)
    for table in crashes_at_every_write(at_least=8):
        scene = DerivationScene(table, ScriptedModel(OF_PART | TITLE))
        table.arm()
        name = again(scene.begin)
        run_again(scene, json.loads(scene.executions[name]))
        table.disarm()
        # The answer of a call that broke off is lost: it is asked for again, and only the kept ones count.
        assert scene.model.calls <= calls + 1, table
        assert state_of(scene) == expected, table


def again(call: Any) -> Any:
    """Call until it does not crash: SQS and the state machine do the same."""
    try:
        return call()
    except Crash:
        return call()


def run_again(scene: DerivationScene, state: Mapping[str, Any]) -> None:
    while state.get("outcome") != "over":
        present = state
        state = again(lambda: scene.step(present))  # noqa: B023


def test_a_later_part_supersedes_what_is_at_work() -> None:
    scene, first = begun()
    old = scene.row["digest"]
    media = MediaObject(RECORDINGS, "talk.mp4", "etag-2", 2000, scene.clock.now() + timedelta(seconds=1))
    scene.admit(scene.recording_id, media)
    assert (scene.recording["status"], scene.recording["insights"]) == ("processing", "pending")
    scene.transcribe(scene.recording_id, media.media_id, [*TALK, ("2", "We decided to meet again on Monday.")])
    assert (scene.recording["status"], scene.recording["derivations"]) == ("done", 2)

    name = scene.begin()

    assert name is not None
    assert (scene.row["number"], scene.row["digest"] != old) == (2, True)
    [step] = scene.run(first)
    assert (step["outcome"], scene.model.calls) == ("over", 0), "it ends without a trace"
    assert scene.recording["insights"] == "pending"
    scene.run(json.loads(scene.executions[name]))
    assert (scene.recording["insights"], scene.row["number"], scene.model.calls) == ("done", 2, 1)
    assert all(scene.row["digest"] in sort for sort in scene.statements)


def test_what_ends_before_the_later_part_has_begun_is_no_result_of_it() -> None:
    scene, first = begun()
    media = MediaObject(RECORDINGS, "talk.mp4", "etag-2", 2000, scene.clock.now() + timedelta(seconds=1))
    scene.admit(scene.recording_id, media)
    scene.transcribe(scene.recording_id, media.media_id, TALK)

    scene.run(first)

    assert scene.recording["insights"] == "pending"
    assert scene.begin() is not None
    assert scene.row["number"] == 2


def test_deriving_anew_replaces_the_statements_of_before() -> None:
    scene, state = begun()
    scene.run(state)
    earlier = {*scene.statements}
    scene.media.recordings.update(scene.recording_id, {"derivation": {"kinds": ["title"]}})
    scene.media.recordings.update(scene.recording_id, {"status": "processing"})
    scene.media.recordings.settle(scene.recording_id)
    name = scene.begin()
    assert name is not None
    assert {*scene.statements} == earlier, "they are shown until there are new ones"
    scene.run(json.loads(scene.executions[name]))
    assert [sort.split("#")[2] for sort in scene.statements] == ["title"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ProviderBusy("ThrottlingException: slower", 60), "provider_busy"),
        (ProviderUnavailable("ServiceUnavailableException: later"), "provider_unavailable"),
        (ModelUnusable("AccessDeniedException: no access"), "insights_model_refused"),
    ],
)
def test_what_time_or_an_operator_mends_is_waited_for(fault: Exception, code: str) -> None:
    scene, state = begun(model=ScriptedModel(fault, fault, nothing()))
    parked = scene.step(state)
    assert (parked["outcome"], parked["queue"], parked["probes"]) == ("parked", "PROVIDER#bedrock", True)
    assert str(fault) in scene.row["reason"]
    assert scene.row["reason_code"] == code
    assert scene.recording["insights"] == "pending"
    assert scene.turns.store.read("bedrock").health is not None, "the others wait as well"
    scene.run({**parked, "timed_out": True})
    assert (scene.recording["insights"], scene.model.calls) == ("done", 1)
    assert not scene.row.keys() & {"reason", "reason_code", "queue_place"}
    assert scene.turns.store.read("bedrock").health is None


def test_a_model_that_is_away_for_days_leaves_a_partial_result_with_its_reason() -> None:
    scene, state = begun(model=ScriptedModel(ProviderBusy("slower")))
    steps = scene.run(state, give_up_hours=1)
    assert scene.clock.elapsed == pytest.approx(3600, abs=30)
    assert len(steps) < 40
    assert (scene.recording["insights"], scene.recording["insights_code"]) == ("partial", "insights_given_up")
    assert scene.recording["insights_reason"] == "not derived in time; last: slower"
    assert scene.row["missing"][0].endswith(": insights_given_up")
    assert state_of(scene)["slots"] == [None]
    assert list(scene.turns.store.waiting("bedrock")) == []


def test_without_a_slot_it_waits_until_one_is_free() -> None:
    scene, state = begun(slots=1)
    other: Any = {"recording_id": "f" * 32, "media_id": "other", "provider": "bedrock", "waiting_since": "2026"}
    assert scene.turns.take(other).goes
    parked = scene.step(state)
    assert (parked["outcome"], scene.row["reason_code"], scene.model.calls) == ("parked", "queued", 0)
    assert parked["wait_seconds"] > 86_400, "nobody polls for a slot"
    key = {"pk": parked["queue"], "sk": parked["place"]}
    scene.table.update_item(
        Key=key, UpdateExpression="SET task_token = :token", ExpressionAttributeValues={":token": "t"}
    )
    scene.turns.give_back(other)
    assert scene.woken == ["t"]
    scene.run(parked)
    assert scene.recording["insights"] == "done"


def test_an_operator_pauses_the_model() -> None:
    scene, state = begun()
    scene.turns.store.brake("bedrock", paused=True)
    parked = scene.step(state)
    assert (parked["outcome"], scene.row["reason_code"]) == ("parked", "provider_paused")
    scene.turns.store.brake("bedrock", paused=None)
    scene.run(parked)
    assert scene.recording["insights"] == "done"


def test_a_long_conversation_is_one_call_for_each_transition() -> None:
    scene, state = begun(model=ScriptedModel(OF_PART | TITLE), talk=LONG)
    taken = scene.run(state)
    assert scene.row["calls"] == len(taken) > 2
    assert [step["outcome"] for step in taken] == ["more"] * (len(taken) - 1) + ["over"]
    assert sum(name.startswith("answer-") for name in scene.kept) == len(taken)
    assert scene.row["missing"] == ["summary: insights_unproved"]
    assert (scene.recording["insights"], scene.recording["insights_code"]) == ("partial", "insights_unproved")


CALLS_OF_DIALS = {
    **dict.fromkeys(("throttle_next", "not_ready_next", "timeout_next", "model_error_next", "own_fault_next"), 1),
    **dict.fromkeys(("unavailable_next", "guardrail_next", "prose_next", "evidence_invented_next"), 1),
    **dict.fromkeys(("facts_invented_next", "obeys_injection_next"), 1),
    **dict.fromkeys(("content_filtered_next", "malformed_json_next", "schema_broken_next"), 2),
    "cut_next": 4,
}
"""By what the model does wrong once: the answers that are paid for. Refused calls cost nothing."""
OF_THEIR_OWN = {"other_language_next", "oversized_next"}


def test_every_dial_of_the_stand_in_is_turned_here() -> None:
    dials = {dial.name for dial in fields(BedrockDials) if dial.name.endswith("_next")}
    assert dials == {*CALLS_OF_DIALS, *OF_THEIR_OWN}


@pytest.mark.parametrize(("dial", "calls"), CALLS_OF_DIALS.items())
def test_what_a_model_does_wrong_once_costs_little_and_fails_nothing(dial: str, calls: int) -> None:
    scene, state = begun(model=stand_in(dial))
    scene.run(state)
    is_proved = dial not in ("evidence_invented_next", "facts_invented_next")
    assert (scene.recording["insights"], scene.row["calls"]) == ("done" if is_proved else "partial", calls)
    assert scene.row.get("dropped") or "invented" not in dial
    assert scene.recording["status"] == "done"


def test_an_answer_of_ten_megabytes_ends_at_the_bound_of_the_cost() -> None:
    scene, state = begun(model=stand_in("oversized_next"))
    scene.run(state)
    assert (scene.recording["insights_code"], scene.row["calls"]) == ("insights_over_budget", 1)


def test_what_cannot_be_read_twice_is_missing_and_the_rest_is_there() -> None:
    scene, state = begun(model=ScriptedModel("no JSON"))
    scene.run(state)
    assert (scene.recording["insights"], scene.recording["insights_code"]) == ("partial", "insights_unreadable")
    assert (scene.row["reason_code"], scene.row["calls"]) == ("insights_unreadable", 2)


def test_a_bound_of_the_cost_ends_as_partial() -> None:
    scene = DerivationScene(CrashingTable(), stand_in())
    name = scene.begin(STAGE.__class__(STAGE.model, (), max_cents=0.000001, price=(1000, 1000)))
    assert name is not None
    scene.run(json.loads(scene.executions[name]))
    assert (scene.recording["insights_code"], scene.model.calls) == ("insights_over_budget", 0)


def test_a_recording_that_is_being_erased_ends_it() -> None:
    scene, state = begun()
    scene.media.recordings.erasures.mark(scene.recording_id, "receipt", None)
    before = dict(scene.table.items)
    [step] = scene.run(state)
    assert (step["outcome"], scene.model.calls, dict(scene.table.items)) == ("over", 0, before)
    assert scene.begin() is None


def test_an_erase_during_a_call_leaves_no_result() -> None:
    scene, state = begun()

    def erased(request: Any) -> Any:
        scene.media.recordings.erasures.mark(scene.recording_id, "receipt", None)
        return nothing()

    scene.model.model = ScriptedModel(erased)
    scene.run(state)
    assert scene.recording["status"] == "erasing"
    assert (scene.recording["insights"], scene.row["state"]) == ("pending", "pending")


def test_a_transcript_that_was_deleted_meanwhile_ends_as_partial() -> None:
    scene, state = begun()
    scene.s3.objects = {place: body for place, body in scene.s3.objects.items() if place[0] != REPLIES}
    scene.run(state)
    assert (scene.recording["insights"], scene.recording["insights_code"]) == ("partial", "insights_given_up")


def test_a_transcript_that_is_too_large_to_be_kept_ends_as_partial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_bucket, "LARGEST_REPLY", 100)
    scene, state = begun()
    scene.run(state)
    assert (scene.recording["insights"], scene.recording["insights_code"]) == ("partial", "insights_given_up")
    assert "too large" in scene.recording["insights_reason"]


def test_a_sweep_leaves_who_is_at_work_and_takes_who_is_not(clock: Any) -> None:
    scene, state = begun(model=ScriptedModel(ProviderBusy("slower")))
    scene.step(state)
    scene.turns.store.close("bedrock")
    slot: Any = turn_of(scene.row)
    assert scene.turns.take(slot).goes
    sweep = partial(tidy_turns, ["bedrock"], turns=scene.turns, find=scene.store.find_turn, after="")
    assert sweep(deadline=scene.clock.deadline(300)).counts == {}
    old: Any = {**slot, "media_id": "0123456789abcdef-0", "waiting_since": "2026"}
    assert scene.turns.take(old).goes
    older: Any = {**old, "media_id": "fedcba9876543210-0"}
    scene.turns.store.enqueue("bedrock", "QUEUE#0#2026#old", older)
    counts = sweep(deadline=scene.clock.deadline(300)).counts
    assert counts == {"left_queue": 1, "freed": 1}
    scene.media.recordings.erasures.mark(scene.recording_id, "receipt", None)
    assert sweep(deadline=scene.clock.deadline(300)).counts["freed"] == 1


def test_a_correction_meanwhile_changes_neither_the_execution_nor_what_it_reads() -> None:
    scene, state = begun()
    scene.media.recordings.update(scene.recording_id, {"speakers": {"1": "Ann"}})
    scene.run(state)
    assert (scene.recording["insights"], scene.model.calls) == ("done", 1)


def test_an_execution_that_was_aborted_leaves_its_reason() -> None:
    scene, state = begun()
    detail = {"input": json.dumps(state), "status": "ABORTED", "name": scene.row["execution"], "cause": "enough"}
    report_stopped_execution(detail, store=scene.media, turns=scene.turns)
    assert (scene.recording["insights"], scene.recording["insights_code"]) == ("partial", "insights_given_up")
    assert "enough" in scene.row["reason"]
    report_stopped_execution({**detail, "cause": "again"}, store=scene.media, turns=scene.turns)
    assert "again" not in scene.row["reason"]


def while_recorded(scene: DerivationScene, **more: Any) -> None:
    """Have all that has arrived be done while the recorder goes on."""
    nothing_yet = {"resource_id": "of the recorder", "insights": None, "derivations": None}
    before: Any = {"status": "processing", **nothing_yet, **more}
    scene.media.recordings.update(scene.recording_id, before)
    scene.media.recordings.settle(scene.recording_id)


def test_while_the_recorder_is_in_the_channel_nothing_is_derived() -> None:
    """More parts may come at any time. Once it has left, what is there is derived, without a change of the status."""
    scene = DerivationScene(CrashingTable(), ScriptedModel(OF_PART | TITLE))
    recordings = scene.media.recordings
    while_recorded(scene)
    assert (scene.recording["status"], scene.recording.get("insights")) == ("done", None)
    assert scene.begin() is None
    assert shown_state(scene.recording) == "pending"

    end_left(scene.recording_id, store=recordings, why="by itself")

    ended = scene.recording
    assert (ended["status"], ended["insights"], ended["derivations"]) == ("done", "pending", 1)
    assert end_left(scene.recording_id, store=recordings, why="again") is None
    assert scene.recording == ended
    assert scene.begin()


def test_a_crash_behind_the_end_is_made_good_by_the_watch() -> None:
    scene = DerivationScene(CrashingTable(), ScriptedModel(OF_PART | TITLE))
    while_recorded(scene)
    recordings = scene.media.recordings
    recordings.update(scene.recording_id, {"stopped_at": scene.store.timestamp, "ended_by": "recorder"})
    no_agora: Any = None
    check_recording(
        Watch(scene.recording_id, scene.recording["created_at"], since=scene.store.timestamp),
        store=recordings,
        media_store=scene.media,
        agora=no_agora,
        end_wait=lambda token: None,
        late_minutes=10,
        deadline=scene.clock.deadline(300),
    )
    assert (scene.recording["insights"], scene.recording["derivations"]) == ("pending", 1)


def test_files_that_come_after_a_failed_start_are_derived_from() -> None:
    """Its recorder was stopped, and nobody watches it any more."""
    scene = DerivationScene(CrashingTable(), ScriptedModel(OF_PART | TITLE))
    while_recorded(scene, start_failed_at=scene.store.timestamp)
    assert (scene.recording["status"], scene.recording["insights"]) == ("done", "pending")
