"""The commands `backfill` and `cost`, from their arguments to their exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.app import main
from cli.progress import EVERY_SECONDS, Progress
from cli.session import Session
from recording_insights.model.media_object import MediaObject
from tests.unit.cli.fake_stage import calls_of, fake_session, http_of
from tests.unit.operations.stage_of_history import AT, BUCKET, HistoryS3, sound

ID, OTHER = "4736218b480a44149a6bac9cd17457c6", "2f54e9a1f31d4bc5a6d04bd3ce1a3c9c"
PROVIDERS = {
    "providers": [
        {"provider": name, "paused": False, "slots": 5, "slots_used": 0, "health": "closed", "queued": 0}
        for name in ("deepgram", "transcribe")
    ],
    "prefixes": {},
}
NOT_FOUND = (404, {"status": 404, "detail": "there is no such recording"})

Main = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """Runs arguments on a session; returns the exit code, the output and the words."""

    def run_on(session: Session, *arguments: str) -> tuple[int, str, str]:
        def opened(*, as_json: bool, query: str | None, **_: Any) -> Session:
            session.as_json, session.query = as_json or query is not None, query
            return session

        monkeypatch.setattr("cli.command.open_session", opened)
        code = main(list(arguments))
        return (code, *capsys.readouterr())

    return run_on


@pytest.fixture
def s3() -> HistoryS3:
    return HistoryS3({"old/a.wav": sound(1.0), "old/b.wav": sound(2.0), "old/notes.txt": b"notes"})


def id_of(s3: HistoryS3, key: str) -> str:
    return media_of(s3, key).own_recording_id


def media_of(s3: HistoryS3, key: str) -> MediaObject:
    return MediaObject(BUCKET, key, s3.etag(key), len(s3.objects[key]), AT).in_channel("")


def stage(s3: HistoryS3, *, ends: str = "done", **options: Any) -> Session:
    """A stage that takes both objects, and that has processed each at the second look."""
    replies: dict[str, Any] = {"GET /providers": PROVIDERS}
    for key in ("old/a.wav", "old/b.wav"):
        media = media_of(s3, key)
        row = {
            "media_id": media.media_id,
            "key": key,
            "status": ends,
            "reason_code": "no_sound",
            "provider": "deepgram",
        }
        found = {"recording_id": media.own_recording_id, "status": ends, "media": [row]}
        replies[f"GET /recordings/{media.own_recording_id}"] = [NOT_FOUND, found]

    def take(call: Any) -> tuple[int, Any]:
        media = media_of(s3, call.body["key"])
        return 202, {"recording_id": media.own_recording_id, "media_id": media.media_id, "execution": "e"}

    replies["POST /media"] = take
    outputs = {"RecordingsBucketName": BUCKET}
    return fake_session(replies, outputs=outputs, clients={"s3": s3}, **options)


def taken(session: Session) -> list[Any]:
    return [call.body for call in http_of(session).calls if call.line == "POST /media"]


def test_history_is_taken_in_after_a_question_that_has_its_price(run: Main, s3: HistoryS3) -> None:
    session = stage(s3, answers=["y"], has_terminal=True)
    code, out, words = run(session, "backfill", "old/", "--provider", "transcribe")

    assert code == 0
    assert taken(session) == [{"key": f"old/{name}.wav", "provider": "transcribe"} for name in "ab"]
    assert out.splitlines()[0] == "2 done, 0 failed, 0 under way, 1 left out."
    assert "On the local stack: Take in 2 media objects: 3 s of media. Provider transcribe gets 2: $0.0003" in words


def test_a_no_takes_in_nothing(run: Main, s3: HistoryS3) -> None:
    session = stage(s3, answers=["n"], has_terminal=True)
    assert run(session, "backfill", "s3://history/old/")[0] == 4
    assert taken(session) == []


def test_a_dry_run_asks_nobody_and_is_data(run: Main, s3: HistoryS3) -> None:
    session = stage(s3)
    code, out, _ = run(session, "backfill", "old/", "--dry-run", "--query", "[new, estimate.providers[0].dollars]")
    assert (code, json.loads(out), taken(session)) == (0, [2, None], [])


def test_who_cannot_be_asked_gives_yes(run: Main, s3: HistoryS3) -> None:
    session = stage(s3)
    code, _, words = run(session, "backfill", "old/")
    assert (code, taken(session)) == (2, [])
    assert "--yes" in words


def test_what_failed_is_named_and_makes_the_command_fail(run: Main, s3: HistoryS3) -> None:
    code, out, _ = run(stage(s3, ends="failed"), "backfill", "old/", "--yes")
    assert (code, out.splitlines()[0]) == (1, "0 done, 2 failed, 0 under way, 1 left out.")
    assert f"{id_of(s3, 'old/a.wav')}\tno_sound\told/a.wav" in out


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((429, {"message": "Too Many Requests"}), "Trying again in 2 s."),
        (
            (503, {"status": 503, "type": "urn:recording-insights:problem:intake-paused", "detail": "paused"}),
            "in 60 s.",
        ),
    ],
)
def test_a_throttle_and_a_pause_of_the_intake_are_waited_out_and_said(
    run: Main, s3: HistoryS3, answer: Any, words: str
) -> None:
    session = stage(s3)
    take = http_of(session).replies["POST /media"]
    answers = iter([answer] * 5)
    http_of(session).replies = {
        **http_of(session).replies,
        "POST /media": lambda call: next(answers, None) or take(call),
    }

    code, out, said = run(session, "backfill", "old/", "--yes")

    assert (code, out.splitlines()[0]) == (0, "2 done, 0 failed, 0 under way, 1 left out.")
    assert words in said


def test_an_object_that_is_refused_is_left_out_with_the_reason(run: Main, s3: HistoryS3) -> None:
    session = stage(s3)
    refusal = (409, {"status": 409, "detail": "old/a.wav is not processed: no media"})
    http_of(session).replies = {
        **http_of(session).replies,
        "POST /media": refusal,
        **{f"GET /recordings/{id_of(s3, f'old/{name}.wav')}": NOT_FOUND for name in "ab"},
    }
    code, out, _ = run(session, "backfill", "old/", "--yes", "--json")
    groups = {group["code"]: (group["number"], group["reason"]) for group in json.loads(out)["skipped"]}
    assert (code, groups["refused"]) == (0, (2, "old/a.wav is not processed: no media"))


def test_a_fault_that_one_object_meets_leaves_it_out(run: Main, s3: HistoryS3) -> None:
    session = stage(s3)
    take = http_of(session).replies["POST /media"]
    fault = (500, {"status": 500, "type": "urn:recording-insights:problem:internal-error", "request_id": "r-1"})
    answers = iter([fault])
    http_of(session).replies = {
        **http_of(session).replies,
        "POST /media": lambda call: next(answers, None) or take(call),
    }
    code, out, _ = run(session, "backfill", "old/", "--yes", "--json")
    groups = {group["code"]: group["reason"] for group in json.loads(out)["skipped"]}
    assert (code, json.loads(out)["done"]) == (0, 1)
    assert "The log has it under the request id r-1." in groups["not_admitted"]


def test_a_right_that_is_missing_ends_the_run_and_says_what_goes_on(run: Main, s3: HistoryS3) -> None:
    session = stage(s3)
    http_of(session).replies = {**http_of(session).replies, "POST /media": (403, {"message": "Forbidden"})}
    code, _, words = run(session, "backfill", "old/", "--yes")
    assert code == 5
    assert "0 are under way and go on, 2 were not admitted: the same command goes on from here." in words


def test_ctrl_c_says_what_goes_on_and_ends_with_its_own_code(run: Main, s3: HistoryS3) -> None:
    session = stage(s3, ends="submitted")

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    session.api.sleep = interrupt
    code, _, words = run(session, "backfill", "old/", "--yes")
    assert (code, len(taken(session))) == (130, 2)
    assert words.splitlines()[-2:] == [
        "2 are under way and go on, 0 were not admitted: the same command goes on from here.",
        "Interrupted.",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "Give a prefix or --from-file."),
        (("old/", "--from-file", "keys"), 2, "Give a prefix or --from-file."),
        (("--from-file", "none"), 3, "--from-file none: there is no such file."),
        (("--from-file", "sound.wav"), 2, "the file is no text in UTF-8"),
        (("s3://another/old/",), 1, "is not in the recordings bucket history"),
        (("old/", "--provider", "symbl", "--yes"), 1, "The stage has no provider symbl: it has deepgram, transcribe."),
    ],
)
def test_wrong_arguments_are_said(
    run: Main,
    s3: HistoryS3,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sound.wav").write_bytes(b"RIFF\xff\xfe")
    session = stage(s3)
    ended, _, said = run(session, "backfill", *arguments)
    assert (ended, words in said, taken(session)) == (code, True, []), said


def test_progress_off_a_terminal_is_a_line_now_and_then() -> None:
    session, now = fake_session(), [0.0]
    said: list[str] = []
    session.say = said.append  # type: ignore[method-assign, assignment]
    with Progress(session, clock=lambda: now[0]) as progress:
        for number in range(5):
            progress.show(f"{number} done")
            now[0] += EVERY_SECONDS / 2
        progress.say("a fault")
    assert said == ["0 done", "2 done", "4 done", "a fault"]


COST = {
    "currency": "USD",
    "aws": 0.000176,
    "provider": 0.21,
    "model": None,
    "prices_of": "2026-09-13",
    "leaves_out": [],
}
RECORDING = {
    "recording_id": ID,
    "status": "done",
    "created_at": "2026-11-21T12:13:44.939819Z",
    "cost": COST,
    "media": [
        {
            "media_id": "m\x1b[31m",
            "provider": "assemblyai",
            "duration_ms": 3_600_000,
            "cost": {"aws": 0.000176, "provider": 0.21},
        }
    ],
}


def test_the_cost_of_a_recording_says_how_sure_each_part_is(run: Main) -> None:
    code, out, _ = run(fake_session({f"GET /recordings/{ID}": RECORDING}), "cost", ID)
    assert code == 0
    lines = [line.split("\t")[:2] for line in out.splitlines()]
    assert lines[1:4] == [["aws", "0.0002"], ["provider", "0.2100"], ["model", "not known"]]
    assert "\x1b" not in out


def test_the_cost_of_a_time_is_summed_up_with_what_is_not_known(run: Main) -> None:
    unknown = {
        **RECORDING,
        "media": [{"media_id": "m", "provider": "deepgram", "cost": {"aws": 0.0002, "provider": None}}],
    }
    listed = {"recordings": [{"recording_id": ID}, {"recording_id": OTHER}, {"recording_id": "0" * 32}]}
    session = fake_session(
        {
            "GET /recordings": listed,
            f"GET /recordings/{ID}": RECORDING,
            f"GET /recordings/{OTHER}": unknown,
            f"GET /recordings/{'0' * 32}": (410, {"status": 410, "detail": "erased"}),
        }
    )
    code, out, words = run(session, "cost", "--since", "2026-11-01T00:00:00Z", "--until", "2026-12-01T00:00:00Z")

    assert code == 0
    assert "all\t2\t1.00\t0.0004\t0.2100 and 1 not known\tnot known\tnot known" in out
    assert "deepgram\t1\t0.00\t0.0002\tnot known\tnot known" in out
    assert out.splitlines()[-1] == "Not known, and in no sum: jobs at deepgram."
    assert "1 of 3 recordings read" in words
    assert http_of(session).calls[0].query["since"] == "2026-11-01T00:00:00+00:00"


def test_more_recordings_than_the_limit_are_said(run: Main) -> None:
    listed = {"recordings": [{"recording_id": ID}, {"recording_id": OTHER}]}
    session = fake_session({"GET /recordings": listed, f"GET /recordings/{ID}": RECORDING})
    code, out, words = run(session, "cost", "--since", "7d", "--limit", "1", "--json")
    assert (code, json.loads(out)["is_whole"]) == (0, False)
    assert "There are more than 1 recordings: the sums are those of the newest 1. Raise --limit." in words
    assert f"GET /recordings/{OTHER}" not in calls_of(session)


@pytest.mark.parametrize("arguments", [(), (ID, "--since", "7d"), ("--until", "7d")])
def test_the_cost_of_what_is_asked(run: Main, arguments: tuple[str, ...]) -> None:
    assert run(fake_session(), "cost", *arguments)[0] == 2
