import json
from typing import Any

import pytest

from recording_insights.errors import InvalidRequest, NotFound
from recording_insights.http.edge import HttpResponse
from recording_insights.model.insights import ActionItem, Emotion, Entity, Insights, Question, Topic, Utterance
from recording_insights.recordings import insights_answer
from recording_insights.recordings.insights_answer import answer_insights
from recording_insights.store.insights import Collection

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
LAMBDA_LIMIT = 6_291_556
"""Bytes of a function's whole answer, as Lambda counts it."""


def collection_of(*parts: tuple[str, Insights | None], status: str = "done", **recording: Any) -> Collection:
    """A recording of parts (key, insights) that arrived in this order; None is not finished."""
    row: Any = {"recording_id": R, "status": status, "provider": "marsview", **recording}
    return Collection(
        recording=row,
        media={
            f"m{n}": {
                "media_id": f"m{n}",
                "key": key,
                "status": "done" if insights else "submitted",
                "arrived_at": f"2026-03-12T00:00:{n:02}.000000Z",
            }
            for n, (key, insights) in enumerate(parts)
        },
        insights={f"m{n}": insights for n, (_, insights) in enumerate(parts) if insights},
    )


def all_pages(collection: Collection) -> list[dict[str, Any]]:
    pages = [answer_insights(R, collection)]
    while "cursor" in pages[-1]:
        pages.append(answer_insights(R, collection, cursor=pages[-1]["cursor"]))
    return pages


def test_everything_that_was_found_is_in_the_answer() -> None:
    insights = Insights(
        transcript=[Utterance("Hello.", "1", 0, 900, 0.5, 0.9), Utterance("Yes?")],
        summary="They greet.",
        topics=[Topic("greeting", 0.5)],
        action_items=[ActionItem("answer", "Ann", "Friday", "high")],
        follow_ups=[ActionItem("call")],
        questions=[Question("Yes?", "No.")],
        emotions=[Emotion("joy", "calm", 0.9, 0, 900)],
        entities=[Entity("Friday", "date", 300, 600, 0.9), Entity("Friday", "date")],
        sentiment=0.5,
        language="en-US",
        ratings={"agent": 7},
        missing=["speech_type_analysis: x"],
    )

    source = {"source": "marsview"}
    assert answer_insights(R, collection_of(("0.mp4", insights), status="partial", reason="0.mp4: x")) == {
        "recording_id": R,
        "status": "partial",
        "reason": "0.mp4: x",
        "insights": "off",
        "provider": "marsview",
        "transcript": [
            {
                "text": "Hello.",
                "speaker": "1",
                "start_ms": 0,
                "end_ms": 900,
                "sentiment": 0.5,
                "confidence": 0.9,
            },
            {"text": "Yes?"},
        ],
        "summary": "They greet.",
        "topics": [{"text": "greeting", "score": 0.5, **source}],
        "action_items": [{"text": "answer", "assignee": "Ann", "due": "Friday", "priority": "high", **source}],
        "follow_ups": [{"text": "call", **source}],
        "questions": [{"text": "Yes?", "answer": "No.", **source}],
        "chapters": [],
        "decisions": [],
        "emotions": [{"emotion": "joy", "tone": "calm", "confidence": 0.9, "start_ms": 0, "end_ms": 900}],
        "entities": [
            {"text": "Friday", "kind": "date", "start_ms": 300, "end_ms": 600, "confidence": 0.9},
            {"text": "Friday", "kind": "date"},
        ],
        "sentiment": 0.5,
        "language": "en-US",
        "ratings": {"agent": 7},
        "speakers": [{"speaker": "1", "media_id": "m0", "turns": 1, "talk_ms": 900}],
        "missing": ["speech_type_analysis: x"],
    }


@pytest.mark.parametrize("parts", [[], [("0.mp4", None)], [("0.mp4", Insights())]])
def test_what_nobody_found_is_absent_and_not_null(parts: list[Any]) -> None:
    assert answer_insights(R, collection_of(*parts, status="processing")) == {
        "recording_id": R,
        "status": "processing",
        "insights": "off",
        "provider": "marsview",
        "transcript": [],
        "topics": [],
        "chapters": [],
        "action_items": [],
        "follow_ups": [],
        "questions": [],
        "decisions": [],
        "emotions": [],
        "entities": [],
        "ratings": {},
    }


def test_parts_are_one_conversation_in_the_order_of_their_keys() -> None:
    second = Insights(
        transcript=[Utterance("c", sentiment=-1)],
        summary="Two.",
        topics=[Topic("y")],
        sentiment=-1,
        language="de",
        ratings={"b": 2},
        missing=["m: 2"],
    )
    first = Insights(
        transcript=[Utterance("a", sentiment=1), Utterance("bb", sentiment=1)],
        summary="One.",
        topics=[Topic("x")],
        sentiment=1,
        language="en-US",
        ratings={"a": 1},
        missing=["m: 1"],
    )

    answer = answer_insights(R, collection_of(("s_1.mp4", second), ("s_0.mp4", first), ("s_2.mp4", None)))

    assert [line["text"] for line in answer["transcript"]] == ["a", "bb", "c"]
    assert answer["summary"] == "One.\n\nTwo."
    assert [topic["text"] for topic in answer["topics"]] == ["x", "y"]
    assert answer["sentiment"] == 0.50
    assert answer["language"] == "en-US, de"
    assert answer["ratings"] == {"a": 1, "b": 2}
    assert answer["missing"] == ["m: 1", "m: 2"]


def test_the_newest_finished_version_of_a_key_wins() -> None:
    old, new = Insights(summary="old"), Insights(summary="new")

    assert answer_insights(R, collection_of(("0.mp4", old), ("0.mp4", new)))["summary"] == "new"
    assert answer_insights(R, collection_of(("0.mp4", old), ("0.mp4", None)))["summary"] == "old"


def test_a_provider_that_judges_the_whole_is_believed() -> None:
    insights = Insights(transcript=[Utterance("a", sentiment=1)], sentiment=-0.5)

    assert answer_insights(R, collection_of(("0.mp4", insights)))["sentiment"] == -0.5


class TestPaging:
    @pytest.mark.parametrize("text", ["plain words " * 3, '"quoted" \\ and\n broken\t', "日本語の会話です。", "🎙" * 6])
    def test_every_utterance_comes_once_and_no_page_is_over_lambdas_limit(
        self, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        # A thousandth of the real size, for speed.
        monkeypatch.setattr(insights_answer, "ANSWER_BYTES", insights_answer.ANSWER_BYTES // 1000)
        transcript = [Utterance(f"{n} {text}", str(n % 2), n * 1000, n * 1000 + 900) for n in range(200)]
        emotions = [Emotion("joy", "calm", 0.9, n, n + 1) for n in range(20)]

        pages = all_pages(collection_of(("0.mp4", Insights(transcript=transcript, emotions=emotions))))

        assert len(pages) > 1
        assert [line for page in pages for line in page["transcript"]] == [u.to_map() for u in transcript]
        for page in pages:
            assert len(json.dumps(HttpResponse(page).event())) <= LAMBDA_LIMIT // 1000

    def test_a_usual_transcript_is_one_page(self) -> None:
        transcript = [Utterance("so we ship the second part on Thursday", "1", 0, 900) for _ in range(3000)]

        (page,) = all_pages(collection_of(("0.mp4", Insights(transcript=transcript))))

        assert len(page["transcript"]) == 3000

    def test_an_utterance_larger_than_a_page_comes_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(insights_answer, "ANSWER_BYTES", 500)
        transcript = [Utterance("a"), Utterance("b" * 5000), Utterance("c")]

        pages = all_pages(collection_of(("0.mp4", Insights(transcript=transcript))))

        assert [line["text"] for page in pages for line in page["transcript"]] == ["a", "b" * 5000, "c"]

    def test_a_page_across_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(insights_answer, "ANSWER_BYTES", 500)
        parts = [(f"{n}.mp4", Insights(transcript=[Utterance(f"{n}{m}" * 20) for m in range(5)])) for n in range(4)]

        pages = all_pages(collection_of(*parts))

        assert [line["text"] for page in pages for line in page["transcript"]] == [
            f"{n}{m}" * 20 for n in range(4) for m in range(5)
        ]

    def test_a_cursor_behind_the_end_finds_nothing_more(self) -> None:
        answer = answer_insights(R, collection_of(("0.mp4", Insights(transcript=[Utterance("a")]))), cursor="m0-7")

        assert answer["transcript"] == []
        assert "cursor" not in answer

    @pytest.mark.parametrize(
        "cursor", ["", "-1", "x", "1.5", "m0-٣", " m0-1", "m0-" + "9" * 10, "m0-1.", "m0--1", "M0-1\n"]
    )
    def test_a_cursor_that_no_answer_gave_is_refused(self, cursor: str) -> None:
        with pytest.raises(InvalidRequest, match="cursor"):
            answer_insights(R, collection_of(), cursor=cursor)


def test_a_recording_that_is_not_there_is_said_so() -> None:
    with pytest.raises(NotFound, match=R):
        answer_insights(R, Collection({}, {}, {}))


def parts_of(*parts: tuple[int, int | None, Insights | None]) -> Collection:
    """A recording of Agora's parts: (number, length in ms, what was found), announced in this order."""
    named = [(f"sid_team_{number}.mp4", insights) for number, _, insights in parts]
    collection = collection_of(*named)
    for item, (number, length, _) in zip(collection.media.values(), parts, strict=True):
        item |= {"part": number, **({"duration_ms": length} if length is not None else {})}
    return collection


def said(text: str, start: int | None = 500, end: int | None = 900) -> Insights:
    return Insights(transcript=[Utterance(text, "1", start, end)], emotions=[Emotion("joy", None, None, start, end)])


def test_parts_come_in_the_order_of_their_numbers_and_their_times_go_on() -> None:
    collection = parts_of(
        (10, 1_000, said("eleventh")),
        (0, 60_000, said("first")),
        (2, 1_000, None),
        (1, 30_000, said("second")),
        (3, 1_000, said("fourth")),
    )

    answer = answer_insights(R, collection)

    told = {line["text"]: (line["start_ms"], line["end_ms"]) for line in answer["transcript"]}
    assert list(told) == ["first", "second", "fourth", "eleventh"]
    assert told == {
        "first": (500, 900),
        "second": (60_500, 60_900),
        "fourth": (91_500, 91_900),
        "eleventh": (92_500, 92_900),
    }
    assert [emotion["start_ms"] for emotion in answer["emotions"]] == [500, 60_500, 91_500, 92_500]


def test_a_part_of_unknown_length_ends_with_its_last_words_and_missing_times_stay_missing() -> None:
    collection = parts_of((0, None, said("first")), (1, None, None), (2, 1_000, said("third", None, None)))

    answer = answer_insights(R, collection)

    assert [line.get("start_ms") for line in answer["transcript"]] == [500, None]
    assert answer_insights(R, parts_of((0, None, said("a")), (1, 5, said("b"))))["transcript"][1]["start_ms"] == 1400


def test_objects_that_are_no_parts_keep_their_own_times() -> None:
    answer = answer_insights(R, collection_of(("a.mp4", said("one")), ("b.mp4", said("two"))))

    assert [line["start_ms"] for line in answer["transcript"]] == [500, 500]


def tracks_of(*tracks: tuple[str, int | None, Insights], **recording: Any) -> Collection:
    """A recording in individual mode: (uid, starts at, insights) of each track."""
    collection = collection_of(*((f"uid_{uid}.m3u8", insights) for uid, _, insights in tracks), **recording)
    for item, (uid, starts_at_ms, _) in zip(collection.media.values(), tracks, strict=True):
        item.update({"uid": uid, **({} if starts_at_ms is None else {"starts_at_ms": starts_at_ms})})
    return collection


def lines_of(uid: str, *lines: tuple[str, int | None]) -> list[Utterance]:
    return [Utterance(text, uid, at, None if at is None else at + 500) for text, at in lines]


def test_tracks_are_one_conversation_in_true_time_order_with_names() -> None:
    first = Insights(transcript=lines_of("1001", ("Good morning.", 1000), ("Fine.", 9000)), summary="Greets.")
    second = Insights(
        transcript=lines_of("1002", ("Hello.", 500), ("And you?", 4000)), summary="Asks.", ratings={"pace": 7}
    )

    answer = answer_insights(
        R,
        tracks_of(
            ("1001", 1_773_273_600_000, first),
            ("1002", 1_773_273_603_000, second),
            speakers={"1001": "Agent"},
        ),
    )

    assert [(line["start_ms"], line["speaker"], line["text"]) for line in answer["transcript"]] == [
        (1000, "1001", "Good morning."),
        (3500, "1002", "Hello."),
        (7000, "1002", "And you?"),
        (9000, "1001", "Fine."),
    ]
    assert [line.get("speaker_name") for line in answer["transcript"]] == ["Agent", None, None, "Agent"]
    assert answer["summary"] == "Agent: Greets.\n\n1002: Asks."
    assert answer["ratings"] == {"1002 pace": 7}


def test_where_a_provider_tells_no_times_one_track_follows_the_other() -> None:
    tracks = [(uid, 0, Insights(transcript=lines_of(uid, ("One.", None), ("Two.", None)))) for uid in ("1001", "1002")]

    answer = answer_insights(R, tracks_of(*tracks))

    assert [line["speaker"] for line in answer["transcript"]] == ["1001", "1001", "1002", "1002"]


def test_what_never_came_of_a_track_is_among_what_is_missing() -> None:
    collection = tracks_of(("1001", 0, Insights(missing=["topics: x"])), speakers={"1001": "Agent"})
    next(iter(collection.media.values()))["incomplete"] = "1 of 3 slices never came"

    assert answer_insights(R, collection)["missing"] == ["topics: x", "Agent: 1 of 3 slices never came"]


def test_speakers_of_a_mix_have_names_in_all_parts_or_in_one() -> None:
    spoken = Insights(transcript=[Utterance("a", "A", 0, 500), Utterance("b", "B", 600, 900)])
    names = {"A": "Ada", "B": "Bob", "m1": {"A": "Grace"}}

    answer = answer_insights(R, collection_of(("0.mp4", spoken), ("1.mp4", spoken), speakers=names))

    assert [line["speaker_name"] for line in answer["transcript"]] == ["Ada", "Bob", "Grace", "Bob"]
    assert answer["speakers"] == [
        {"speaker": "A", "speaker_name": "Ada", "media_id": "m0", "turns": 1, "talk_ms": 500},
        {"speaker": "B", "speaker_name": "Bob", "media_id": "m0", "turns": 1, "talk_ms": 300},
        {"speaker": "A", "speaker_name": "Grace", "media_id": "m1", "turns": 1, "talk_ms": 500},
        {"speaker": "B", "speaker_name": "Bob", "media_id": "m1", "turns": 1, "talk_ms": 300},
    ]


def test_a_turn_ends_with_the_speaker_or_in_silence_and_an_unknown_length_is_absent() -> None:
    transcript = [
        Utterance("one", "A", 0, 1_000),
        Utterance("turn", "A", 3_000, 4_000),
        Utterance("nobody"),
        Utterance("two", "A", 4_100, 4_600),
        Utterance("three", "A", 6_601, 7_000),
        Utterance("heard", "B", 8_000),
    ]

    answer = answer_insights(R, collection_of(("0.mp4", Insights(transcript=transcript))))

    assert answer["speakers"] == [
        {"speaker": "A", "media_id": "m0", "turns": 3, "talk_ms": 2_899},
        {"speaker": "B", "media_id": "m0", "turns": 1},
    ]
