"""Each command: what of the API it calls for its arguments, what it prints, and how it ends."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests

from tests.unit.cli.conftest import Run
from tests.unit.cli.fake_stage import Call, calls_of, fake_session, http_of, response

ID, OTHER = "4736218b480a44149a6bac9cd17457c6", "2f54e9a1f31d4bc5a6d04bd3ce1a3c9c"
ROW: dict[str, Any] = {
    "recording_id": ID,
    "status": "done",
    "insights": "done",
    "created_at": "2026-11-21T12:13:44.939819Z",
    "updated_at": "2026-11-21T12:14:07.948525Z",
    "stopped_at": "2026-11-21T12:13:49.124145Z",
    "ended_by": "stop",
    "sid": "aaf2",
    "channel": "support 42",
    "provider": "deepgram",
    "duration_ms": 61000,
    "media": [],
    "media_counts": {},
}
MEDIA: dict[str, Any] = {
    "media_id": "5f8ed7d68af9559725e7",
    "key": "recordings/a_0.mp4",
    "status": "failed",
    "reason_code": "job_failed",
    "reason": "broken",
    "retryable": True,
    "provider": "deepgram",
    "duration_ms": 61000,
}
RECEIPT = {"receipt_id": "9f0c", "recording_id": ID, "erased_at": "2026-11-22T00:00:00Z", "deleted": {"rows": 3}}
GONE = (410, {"status": 410, "detail": f"recording {ID} was erased", "receipt": RECEIPT})
COUNTED = {"dry_run": True, "media": 3, "refused": {"provider_rejected": 1}, "at_least": False}
PROVIDER = {
    "provider": "symbl",
    "paused": False,
    "slots": None,
    "slots_used": 2,
    "health": "closed",
    "queued": 0,
    "oldest_queued_at": None,
}
RETRY = {"retry_id": "20261127T093000Z-5f8ed7d6", "status": "queued", "counts": {"seen": 0, "begun": 0, "refused": {}}}

CASES: list[tuple[str, dict[str, Any], str, Any]] = [
    ("start room --consent asked --max-hours 2 --uid 7", {"POST /recordings": (201, ROW)}, "POST /recordings",
     {"channel": "room", "consent": "asked", "max_hours": 2, "uid": 7}),
    ("start page --url https://a.test --no-insights", {"POST /recordings": (201, ROW)}, "POST /recordings",
     {"channel": "page", "url": "https://a.test", "mode": "web", "insights": False}),
    ("start room --insights --metadata a=b=c --speaker 1=Ada --option punctuate=true --option language=de "
     "--provider deepgram --reference t7", {"POST /recordings": (200, ROW)}, "POST /recordings",
     {"channel": "room", "insights": {}, "metadata": {"a": "b=c"}, "speakers": {"1": "Ada"}, "provider": "deepgram",
      "options": {"punctuate": True, "language": "de"}, "reference": "t7"}),
    (f"stop {ID}", {f"POST /recordings/{ID}/stop": (202, {"recording_id": ID, "status": "stopping"})},
     f"POST /recordings/{ID}/stop", None),
    (f"retry {ID} --to-provider symbl --option language=de --media {MEDIA['media_id']} --yes",
     {f"GET /recordings/{ID}": {**ROW, "media": [MEDIA]},
      f"POST /recordings/{ID}/retry": (202, {"recording_id": ID, "media": [], "not_retried": [], "remaining": 0})},
     f"POST /recordings/{ID}/retry",
     {"provider": "symbl", "options": {"language": "de"}, "media_id": MEDIA["media_id"]}),
    ("retries start --code no_result --since 2026-11-20T00:00:00Z --until 2026-11-21T00:00:00+00:00 --provider symbl "
     "--prefix calls/ --to-provider deepgram --force --dry-run", {"POST /retries": COUNTED}, "POST /retries",
     {"reason_code": "no_result", "since": "2026-11-20T00:00:00+00:00", "until": "2026-11-21T00:00:00+00:00",
      "provider": "symbl", "prefix": "calls/", "to_provider": "deepgram", "force": True, "dry_run": True}),
    (f"retries cancel {RETRY['retry_id']}", {f"POST /retries/{RETRY['retry_id']}/cancel": (202, RETRY)},
     f"POST /retries/{RETRY['retry_id']}/cancel", None),
    (f"retries show {RETRY['retry_id']}", {f"GET /retries/{RETRY['retry_id']}": RETRY},
     f"GET /retries/{RETRY['retry_id']}", None),
    ("retries", {"GET /retries": {"retries": [RETRY]}}, "GET /retries", None),
    ("providers", {"GET /providers": {"providers": [PROVIDER]}}, "GET /providers", None),
    ("providers pause symbl", {"PUT /providers/symbl": PROVIDER}, "PUT /providers/symbl", {"paused": True}),
    ("providers resume symbl", {"PUT /providers/symbl": PROVIDER}, "PUT /providers/symbl", {"paused": False}),
    ("providers slots symbl 10", {"PUT /providers/symbl": PROVIDER}, "PUT /providers/symbl", {"slots": 10}),
    ("providers slots symbl none", {"PUT /providers/symbl": PROVIDER}, "PUT /providers/symbl", {"slots": None}),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "replies", "line", "body"), CASES, ids=[case[0][:40] for case in CASES])
def test_arguments_become_a_call(run: Run, arguments: str, replies: dict[str, Any], line: str, body: Any) -> None:
    session = fake_session(replies)
    ran = run(session, *arguments.split(" "))
    assert ran.code == 0, ran.words
    call = http_of(session).calls[-1]
    assert (call.line, call.body) == (line, body)
    as_json = run(fake_session(replies), *arguments.split(" "), "--json")
    assert json.loads(as_json.out), "the output is one JSON document, also with words beside it"


def test_a_start_can_be_repeated(run: Run) -> None:
    session = fake_session({"POST /recordings": [(503, {"status": 503}), (201, ROW)]})
    assert run(session, "start", "room").out == f"Recording {ID} has started.\n"
    first, second = http_of(session).calls
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    session = fake_session({"POST /recordings": (200, ROW)})
    assert "was running already" in run(session, "start", "room", "--idempotency-key", "k1").out
    assert http_of(session).calls[0].headers["idempotency-key"] == "k1"


def test_options_win_over_a_body(run: Run, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"channel": "file", "audio_only": true, "reference": "old"}')
    session = fake_session({"POST /recordings": (201, ROW)})
    assert run(session, "start", "--request", str(body), "--reference", "new").code == 0
    assert http_of(session).calls[0].body == {"channel": "file", "audio_only": True, "reference": "new"}


def test_a_list_is_filtered_and_read_page_by_page(run: Run) -> None:
    pages = [{"recordings": [ROW], "cursor": "c1"}, {"recordings": [{**ROW, "recording_id": OTHER}]}]
    replies = {"GET /recordings": pages, f"GET /recordings/{ID}": {**ROW, "cost": {"aws": 0.1, "provider": 0.2}}}
    session = fake_session({**replies, f"GET /recordings/{OTHER}": GONE})
    filters = "--status done --status failed --provider symbl --reference t7 --until 2026-11-21T00:00:00Z --cost"
    ran = run(session, "list", *filters.split(" "))
    header, first, second = (line.split("\t") for line in ran.out.splitlines())
    assert header == ["ID", "STATUS", "CREATED", "LENGTH", "CHANNEL", "REFERENCE", "PROVIDER", "REASON", "COST"]
    assert (first[0], first[3], first[-1]) == (ID, "1:01", "$0.300000")
    assert (second[0], second[-1]) == (OTHER, "–"), "it was erased meanwhile"
    query = {"status": "done,failed", "provider": "symbl", "reference": "t7", "limit": "50"}
    assert [call.query for call in http_of(session).calls[:2]] == [
        {**query, "until": "2026-11-21T00:00:00+00:00"},
        {**query, "until": "2026-11-21T00:00:00+00:00", "cursor": "c1"},
    ]
    assert len(json.loads(run(fake_session(replies), "list", "--limit", "1", "--json").out)) == 1


def test_a_recording_is_shown_with_why_and_what_to_do(run: Run) -> None:
    tries = [{"number": 0, "status": "failed", "provider": "symbl", "reason_code": "no_result"}]
    failed = {"status": "failed", "stage": "result", "reason_code": "job_failed", "reason": "broken"}
    session = fake_session(
        {f"GET /recordings/{ID}": {**ROW, **failed, "media": [{**MEDIA, "tries": tries, "try_number": 1}]}},
        has_terminal=True,
    )
    ran = run(session, "show", ID)
    assert "Why         result, job_failed: broken\n" in ran.out
    assert "What to do  Read the reason, then retry it" in ran.out
    assert "\tno_result\n" in ran.out
    assert f"  recordings retry {ID} --dry-run --stage local\n" in ran.words
    assert "insights show" not in ran.words, "there is nothing to read"


class TestWatch:
    def test_it_follows_until_the_end(self, run: Run) -> None:
        under_way = {**ROW, "status": "recording", "insights": "off"}
        del under_way["stopped_at"]
        session = fake_session({f"GET /recordings/{ID}": [under_way, {**ROW, "insights": "off"}]})
        ran = run(session, "watch", ID, "--json")
        lines = [json.loads(line) for line in ran.out.splitlines()]
        assert [(line.get("step"), line.get("state"), line.get("status")) for line in lines] == [
            ("Start recording", "done", None),
            ("Record", "running", None),
            ("Record", "done", None),
            (None, None, "done"),
        ]
        assert ran.code == 0

    def test_a_recording_that_failed_ends_it_with_1(self, run: Run) -> None:
        session = fake_session({f"GET /recordings/{ID}": {**ROW, "status": "failed", "reason": "no sound"}})
        ran = run(session, "watch", ID)
        assert (ran.code, ran.out.splitlines()[-1]) == (1, f"Recording {ID} is failed: no sound.")

    def test_without_rights_it_follows_by_the_api_alone(self, run: Run) -> None:
        media = [{**MEDIA, "status": "done", "execution": "x", "counts": {"topics": 2}}]
        session = fake_session({f"GET /recordings/{ID}": {**ROW, "media": media}}, outputs={})
        ran = run(session, "watch", ID)
        assert "The steps come from the API alone: " in ran.words
        assert "✓ Save insights      2 topics" in ran.out

    def test_ctrl_c_ends_the_wait_and_says_that_the_recording_goes_on(self, run: Run) -> None:
        def interrupted(call: Call) -> Any:
            raise KeyboardInterrupt

        session = fake_session({"POST /recordings": (201, ROW), f"GET /recordings/{ID}": interrupted})
        ran = run(session, "start", "room", "--wait")
        assert ran.code == 130
        assert ran.words.splitlines() == [
            f"Recording {ID} has started.",
            f"The recording goes on. Follow it again: recordings watch {ID} --stage local",
            "Interrupted.",
        ]

    def test_one_that_is_being_erased_is_a_conflict(self, run: Run) -> None:
        assert run(fake_session({f"GET /recordings/{ID}": {**ROW, "status": "erasing"}}), "watch", ID).code == 4


class TestCancel:
    REPLIES: ClassVar[dict[str, Any]] = {
        f"GET /recordings/{ID}": {**ROW, "media": [{**MEDIA, "status": "waiting"}, {**MEDIA, "status": "done"}]},
        f"POST /recordings/{ID}/cancel": [
            {**ROW, "media_counts": {"waiting": 1, "failed": 1}},
            {**ROW, "status": "failed", "media_counts": {"failed": 2}},
        ],
    }

    def test_a_dry_run_changes_nothing(self, run: Run) -> None:
        session = fake_session(self.REPLIES)
        assert "cancel 1 media object " in run(session, "cancel", ID, "--dry-run").out
        assert calls_of(session) == [f"GET /recordings/{ID}"]

    def test_it_asks_and_calls_until_all_has_ended(self, run: Run) -> None:
        assert run(fake_session(self.REPLIES), "cancel", ID).code == 2, "nobody can be asked"
        session = fake_session(self.REPLIES, answers=["n"], has_terminal=True)
        assert (run(session, "cancel", ID).code, len(calls_of(session))) == (4, 1)
        session = fake_session(self.REPLIES, answers=["y"], has_terminal=True)
        ran = run(session, "cancel", ID)
        assert (ran.code, ran.out) == (0, f"Recording {ID} is failed.\n")
        assert calls_of(session)[1:] == [f"POST /recordings/{ID}/cancel"] * 2


class TestErase:
    READ, DELETE = f"GET /recordings/{ID}", f"DELETE /recordings/{ID}"
    ERASING = (202, {"recording_id": ID, "status": "erasing", "receipt_id": "9f0c"})

    def test_a_dry_run_deletes_nothing(self, run: Run) -> None:
        session = fake_session({self.READ: ROW})
        ran = run(session, "erase", ID, ID, "--dry-run", "--json")
        assert json.loads(ran.out)["recordings"][0]["channel"] == "support 42"
        assert calls_of(session) == [self.READ]

    def test_it_asks_with_the_count_and_the_stage(self, run: Run) -> None:
        session = fake_session({self.READ: ROW}, answers=["no"], has_terminal=True)
        ran = run(session, "erase", ID)
        assert "On the local stack: Erase 1 recording for good." in ran.words
        assert (ran.code, calls_of(session)) == (4, [self.READ])

    def test_it_waits_for_the_receipt(self, run: Run) -> None:
        session = fake_session({self.READ: [ROW, {**ROW, "status": "erasing"}, GONE], self.DELETE: self.ERASING})
        [receipt] = json.loads(run(session, "erase", ID, "--yes", "--wait", "--json").out)
        assert receipt == {**RECEIPT, "status": "erased"}

    def test_what_was_erased_gives_its_receipt_without_a_question(self, run: Run) -> None:
        ran = run(fake_session({self.READ: GONE, self.DELETE: GONE}), "erase", ID)
        assert (ran.code, "9f0c" in ran.out, "3 rows" in ran.out) == (0, True, True)

    def test_one_that_fails_keeps_no_other_from_being_erased(self, run: Run) -> None:
        other = f"DELETE /recordings/{OTHER}"
        replies = {self.READ: ROW, f"GET /recordings/{OTHER}": {**ROW, "recording_id": OTHER}}
        session = fake_session({**replies, self.DELETE: (500, {"status": 500, "detail": "no"}), other: self.ERASING})
        ran = run(session, "erase", ID, OTHER, "--yes")
        assert (ran.code, calls_of(session)[-1]) == (1, other)
        assert "not erased" in ran.out


class TestInsights:
    PATH = f"GET /recordings/{ID}/insights"
    REST: ClassVar[dict[str, Any]] = {
        **{kind: [] for kind in ("topics", "action_items", "follow_ups", "questions", "emotions", "entities")},
        "ratings": {},
        "recording_id": ID,
    }

    def pages(self) -> list[Any]:
        late = {"text": "second", "start_ms": 2000, "speaker": "1", "id": "b"}
        early = {"text": "first", "start_ms": 1000, "speaker_name": "Ada", "id": "a"}
        return [{**self.REST, "transcript": [late], "cursor": "c"}, {**self.REST, "transcript": [early]}]

    def test_all_pages_are_one_transcript(self, run: Run) -> None:
        ran = run(fake_session({self.PATH: self.pages()}), "insights", "show", ID)
        assert ran.out.splitlines()[1:3] == ["00:01.0 Ada: first", "00:02.0 speaker 1: second"]
        exported = run(fake_session({self.PATH: self.pages()}), "insights", "export", ID, "--format", "json")
        found = json.loads(exported.out)
        assert [line["text"] for line in found["transcript"]] == ["first", "second"]
        assert "cursor" not in found
        queried = run(
            fake_session({self.PATH: self.pages()}),
            *("insights", "export", ID, "--format", "json", "--query", "transcript[0].text"),
        )
        assert queried.out == '"first"\n'

    def test_a_file_is_written_whole_or_not_at_all(self, run: Run, tmp_path: Path) -> None:
        captions = "1\r\n00:00 \x1b[31mred\r\n"
        file = tmp_path / "a.srt"
        export = ("insights", "export", ID, "--format", "srt", "--output", str(file))
        session = fake_session({self.PATH: (200, captions)})
        assert run(session, *export).code == 0
        assert file.read_bytes() == captions.encode()
        assert http_of(session).calls[0].query == {"format": "srt"}
        assert run(fake_session({self.PATH: (200, "2")}), *export).code == 4
        assert file.read_bytes() == captions.encode()
        assert run(fake_session({self.PATH: (200, "2")}), *export, "--force").code == 0
        assert file.read_bytes() == b"2"
        assert run(fake_session({self.PATH: (413, {"detail": "too long"})}), *export, "--force").code == 2
        nowhere = str(tmp_path / "none" / "a.srt")
        assert run(fake_session({self.PATH: (200, "2")}), *export[:-1], nowhere).code == 3
        assert [path.name for path in tmp_path.iterdir()] == ["a.srt"]

    def test_a_terminal_gets_what_does_not_control_it(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        captions = "1\n00:00:01,000 --> 00:00:02,000\n\x1b[31mred\u202e\x9b\n"
        shown = run(fake_session({self.PATH: (200, captions)}), "insights", "export", ID, "--format", "srt").out
        assert shown == captions.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e").replace("\x9b", "\\x9b")

    def test_a_disk_that_is_full_leaves_nothing(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(path: Path, content: bytes) -> int:
            path.touch()
            raise OSError(28, "No space left on device", str(path))

        monkeypatch.setattr(Path, "write_bytes", full)
        export = ("insights", "export", ID, "--format", "srt", "--output", str(tmp_path / "a.srt"))
        ran = run(fake_session({self.PATH: (200, "1")}), *export)
        assert (ran.code, ran.words.startswith("No space left on device"), ran.words.count("\n")) == (1, True, 1)
        assert not list(tmp_path.iterdir())


class TestUpload:
    LINK: ClassVar[dict[str, Any]] = {
        "method": "PUT",
        "url": "http://bucket.test/uploads/media.mp4?X-Amz-Signature=5ec0de5ec0de5ec0de5ec0de5ec0de",
        "headers": {"content-type": "video/mp4", "if-none-match": "*"},
        "expires_at": "2026-11-21T12:28:44Z",
    }
    OPENED = (201, {"recording_id": ID, "status": "starting", "upload": LINK})
    SENT = "PUT /uploads/media.mp4"

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "Interview 7.mp4"
        file.write_bytes(b"media" * 1000)
        return file

    def test_the_file_goes_to_the_link_and_the_link_nowhere(self, run: Run, file: Path) -> None:
        session = fake_session({"POST /uploads": self.OPENED, self.SENT: (200, "")})
        ran = run(session, "upload", str(file), "--reference", "t7", "--json")
        asked, sent = http_of(session).calls
        assert asked.body == {"name": "Interview 7.mp4", "size": 5000, "reference": "t7"}
        assert (sent.body, sent.headers) == (file.read_bytes(), self.LINK["headers"])
        assert json.loads(ran.out) == {"recording_id": ID, "status": "starting"}
        assert "5ec0de" not in ran.out + ran.words

    def test_a_connection_that_breaks_off_is_tried_again(self, run: Run, file: Path) -> None:
        # The first try may have come through although its answer was lost.
        broken = requests.ConnectionError("http://bucket.test/?X-Amz-Signature=5ec0de")
        session = fake_session({"POST /uploads": self.OPENED, self.SENT: [broken, (412, "")]})
        assert run(session, "upload", str(file)).code == 0
        assert http_of(session).calls[-1].body == file.read_bytes(), "it begins from the start"

    @pytest.mark.parametrize(
        ("reply", "code"),
        [((403, ""), 2), ((400, ""), 2), ((412, ""), 4), ((500, ""), 1), (requests.Timeout("?X-Amz-S=5ec0de"), 6),
         (KeyboardInterrupt(), 130)],
    )  # fmt: skip
    def test_a_refusal_says_what_is_left(self, run: Run, file: Path, reply: Any, code: int) -> None:
        def sent(call: Call) -> Any:
            if isinstance(reply, BaseException):
                raise reply
            return reply

        ran = run(fake_session({"POST /uploads": self.OPENED, self.SENT: sent}), "upload", str(file))
        assert ran.code == code
        assert f"Recording {ID} waits for its file. Repeat the command with --idempotency-key " in ran.words
        assert "5ec0de" not in ran.out + ran.words

    @pytest.mark.parametrize(("name", "code"), [("notes.pdf", 2), ("empty.mp3", 2), ("none.mp3", 3)])
    def test_what_no_stage_takes_is_refused_before_any_call(
        self, run: Run, tmp_path: Path, name: str, code: int
    ) -> None:
        (tmp_path / "notes.pdf").write_bytes(b"1")
        (tmp_path / "empty.mp3").touch()
        session = fake_session({})
        assert (run(session, "upload", str(tmp_path / name)).code, calls_of(session)) == (code, [])


class TestRetry:
    READ, RETRY = f"GET /recordings/{ID}", f"POST /recordings/{ID}/retry"

    @pytest.mark.parametrize(
        ("media", "arguments", "expected"),
        [
            (MEDIA, (), ("media", True)),
            ({**MEDIA, "job_id": "j"}, (), ("job", False)),
            ({**MEDIA, "job_id": "j", "reply": "r.json"}, (), ("saved", False)),
            ({**MEDIA, "reply": "r.json"}, ("--to-provider", "symbl"), ("media", True)),
            ({**MEDIA, "reply": "r.json"}, ("--from", "media"), ("media", True)),
            ({**MEDIA, "status": "done", "reply": "r.json"}, ("--force",), ("saved", False)),
        ],
    )
    def test_a_dry_run_says_where_it_begins_and_what_is_paid(
        self, run: Run, media: Any, arguments: tuple[str, ...], expected: tuple[str, bool]
    ) -> None:
        session = fake_session({self.READ: {**ROW, "media": [media, {**MEDIA, "media_id": "x", "status": "done"}]}})
        [item, *_] = json.loads(run(session, "retry", ID, "--dry-run", "--json", *arguments).out)["media"]
        assert (item["from"], item["paid"]) == expected
        assert calls_of(session) == [self.READ]

    def test_what_is_paid_is_asked_for(self, run: Run) -> None:
        session = fake_session({self.READ: {**ROW, "media": [MEDIA]}}, answers=[""], has_terminal=True)
        ran = run(session, "retry", ID, "--to-provider", "symbl")
        assert "1 media object will be sent anew and paid for at symbl, 1:01 in all." in " ".join(ran.words.split())
        assert (ran.code, calls_of(session)) == (4, [self.READ])

    def test_it_calls_until_nothing_remains(self, run: Run) -> None:
        begun = {"media_id": "m", "provider": "symbl", "from": "saved", "try": 1}
        answers = [
            (202, {"recording_id": ID, "media": [begun], "not_retried": [], "remaining": 1}),
            (409, {"status": 409, "detail": "media object n is at work"}),
        ]
        session = fake_session({self.READ: {**ROW, "media": [{**MEDIA, "reply": "r"}]}, self.RETRY: answers})
        found = json.loads(run(session, "retry", ID, "--json").out)
        assert found["media"] == [begun]
        assert "media object n is at work" in found["not_retried"][0]["reason"]

    def test_many_are_counted_before_they_are_retried(self, run: Run) -> None:
        session = fake_session({"POST /retries": [COUNTED, (202, RETRY)]}, answers=["y"], has_terminal=True)
        ran = run(session, "retries", "start", "--code", "no_result")
        words = " ".join(ran.words.split())
        assert "3 media objects can be retried. 1 provider_rejected would be refused without --force." in words
        assert "at most so many jobs are paid for anew" in words
        assert [call.body for call in http_of(session).calls] == [
            {"reason_code": "no_result", "dry_run": True},
            {"reason_code": "no_result"},
        ]
        nothing = {**COUNTED, "media": 0}
        session = fake_session({"POST /retries": nothing})
        assert (run(session, "retries", "start", "--yes").code, len(calls_of(session))) == (4, 1)


REFUSALS = [
    (response(400, {"detail": "uid: must be a number"}), 2),
    (response(404, {"detail": "no recording"}), 3),
    (response(409, {"detail": "at work"}), 4),
    (response(410, {"detail": "erased"}), 4),
    (response(403, {"message": "Forbidden"}), 5),
    (response(500, {"detail": "unexpected", "request_id": "r1"}), 1),
    (requests.ConnectionError("https://api/?X-Amz-Signature=5ec0de"), 6),
    (requests.Timeout(), 6),
]
EVERY = (
    f"show {ID}",
    "list",
    f"stop {ID}",
    "start room",
    f"watch {ID}",
    f"cancel {ID}",
    f"retry {ID}",
    "retries",
    "retries start",
    "providers",
    "providers pause symbl",
    f"insights show {ID}",
    f"insights export {ID} --format srt",
)


@pytest.mark.parametrize(("reply", "code"), REFUSALS, ids=lambda value: str(value)[:30])
def test_a_refusal_is_one_line_and_an_exit_code(run: Run, reply: Any, code: int) -> None:
    class Refusing(dict[str, Any]):
        def __contains__(self, key: object) -> bool:
            return True

        def __missing__(self, key: str) -> Any:
            if isinstance(reply, Exception):
                return reply
            return (reply.status_code, reply.json())

    for arguments in EVERY:
        session = fake_session({})
        http_of(session).replies = Refusing()
        ran = run(session, *arguments.split(" "))
        assert (ran.code, ran.out) == (code, ""), arguments
        assert "5ec0de" not in ran.words
        last = ran.words.splitlines()[-1]
        assert last.startswith(("The API", "The bucket")), last


@pytest.mark.parametrize(
    "arguments",
    ["show nope", "start", "start room --metadata x", "start room --metadata a=1 --metadata a=2", "list --since soon",
     "providers pause a/b", "providers slots symbl 0", "retries show ../x", f"insights export {ID}",
     "start room --request -", "start room --idempotency-key é"],
)  # fmt: skip
def test_wrong_values_are_found_before_any_call(run: Run, arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.read", lambda: "[1]", raising=False)
    session = fake_session({})
    ran = run(session, *arguments.split(" "))
    assert (ran.code, calls_of(session)) == (2, []), ran.words
