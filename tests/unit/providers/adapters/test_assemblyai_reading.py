"""Transcripts of AssemblyAI in the normalised shape."""

import json
from typing import Any

import pytest

from recording_insights.model.insights import Entity, Insights, Topic, Utterance
from recording_insights.providers.adapters.assemblyai.reading import read_insights


def read(**reply: Any) -> Insights:
    return read_insights(json.dumps(reply).encode())


def turn(text: str = "Hello.", start: Any = 0, end: Any = 1000, **changes: Any) -> dict[str, Any]:
    return {"text": text, "start": start, "end": end, "speaker": "A", "confidence": 0.9, **changes}


def mood(sentiment: Any, start: Any, end: Any, confidence: Any = 1, **changes: Any) -> dict[str, Any]:
    return {"text": "…", "sentiment": sentiment, "start": start, "end": end, "confidence": confidence, **changes}


def scores(*moods: Any, turns: Any = None) -> list[Any]:
    insights = read(utterances=turns or [turn()], sentiment_analysis_results=list(moods))
    return [u.sentiment for u in insights.transcript]


class TestTranscript:
    def test_turns(self) -> None:
        insights = read(utterances=[turn("Grüezi 🎙️ 会議", 250, 1640, confidence=0.9015, words=[])], text="unused")
        utterance = Utterance("Grüezi 🎙️ 会議", "A", start_ms=250, end_ms=1640, confidence=0.9015)
        assert insights == Insights(transcript=[utterance], topics=[], entities=[])

    def test_a_turn_of_one_voice_is_split_into_sentences_with_their_own_sentiment(self) -> None:
        """AssemblyAI ends a turn with the speaker only: a track of one voice is a single turn."""
        words, moods = [], []
        for n in range(12):
            at = n * 2000 + (n > 5) * 1600
            texts = ("Well", "said.") if n != 8 else ("Well", "said")
            words += [turn(text, at + i * 500, at + i * 500 + 400, speaker=None) for i, text in enumerate(texts)]
            moods.append(mood("NEGATIVE" if n % 2 else "POSITIVE", at, at + 900, 0.9, speaker="A"))
        text = " ".join(word["text"] for word in words)
        whole = turn(text, 0, 24500, words=words)
        spoken = read(utterances=[whole], sentiment_analysis_results=moods).transcript
        lines = [(u.speaker, u.start_ms, u.sentiment) for u in spoken]
        assert lines[:8] == [("A", n * 2000 + (n > 5) * 1600, -0.9 if n % 2 else 0.9) for n in range(8)]
        assert [u.text for u in spoken[7:]] == ["Well said.", "Well said Well said.", "Well said.", "Well said."]
        assert " ".join(u.text for u in spoken) == text

    @pytest.mark.parametrize(
        ("text", "words", "lines"),
        [
            ("会議です。はい。", ["会議", "です。", "はい。"], ["会議です。", "はい。"]),
            ("Yes.  No.\n", ["Yes.", " ", "No."], ["Yes.", "No."]),
            ("Yes. No, never.", ["Yes."], ["Yes. No, never."]),
            ("Yes. No.", ["Ja.", "Nein."], ["Yes. No."]),
            ("Yes. No.", None, ["Yes. No."]),
        ],
        ids=["no spaces", "odd spaces", "words are missing", "other words", "no words"],
    )
    def test_no_word_of_a_turn_is_lost_or_changed(self, text: str, words: Any, lines: list[str]) -> None:
        spoken = words and [turn(word, n * 100, n * 100 + 90) for n, word in enumerate(words)]
        assert [u.text for u in read(utterances=[turn(text, words=spoken)]).transcript] == lines

    def test_turns_that_overlap_are_in_order_sentence_by_sentence(self) -> None:
        first = [turn("One.", 0, 400), turn("Three.", 1000, 1400)]
        second = [turn("Two.", 500, 900, speaker="B")]
        turns = [turn("One. Three.", 0, 1400, words=first), turn("Two.", 500, 900, speaker="B", words=second)]
        assert [u.text for u in read(utterances=turns).transcript] == ["One.", "Two.", "Three."]

    @pytest.mark.parametrize("utterances", [None, [], "none", [None, {"text": ""}]])
    def test_without_turns_the_words_make_them(self, utterances: Any) -> None:
        words = [
            turn("Good", 0, 200, speaker=None),
            turn("day.", 210, 400, speaker=None),
            turn("So", 500, 600, speaker=None),
        ]
        insights = read(utterances=utterances, words=words, text="unused")
        assert [(u.text, u.speaker, u.start_ms, u.end_ms) for u in insights.transcript] == [
            ("Good day.", None, 0, 400),
            ("So", None, 500, 600),
        ]

    def test_without_words_the_text_is_all_there_is(self) -> None:
        assert read(utterances=None, words=None, text="Hm").transcript == [Utterance("Hm")]

    @pytest.mark.parametrize("empty", [None, [], ""])
    def test_nothing_was_said(self, empty: Any) -> None:
        insights = read(utterances=empty, words=empty, text=empty or None, sentiment_analysis_results=empty)
        assert insights == Insights(transcript=[], topics=[], entities=[])

    @pytest.mark.parametrize(
        ("start", "ms"),
        [(5, 5), (12949.999, 12950), ("5830.4", 5830), (None, None), ("soon", None), ([], None), (True, None)],
    )
    def test_times_in_every_form(self, start: Any, ms: int | None) -> None:
        assert read(utterances=[turn(start=start, end=99999)]).transcript[0].start_ms == ms

    @pytest.mark.parametrize("lacking", ["start", "end", "speaker", "confidence"])
    def test_what_is_lacking_is_absent(self, lacking: str) -> None:
        entry = turn()
        del entry[lacking]
        (utterance,) = read(utterances=[entry], sentiment_analysis_results=[mood("POSITIVE", 0, 10)]).transcript
        absent = {"start": "start_ms", "end": "end_ms"}.get(lacking, lacking)
        assert absent not in utterance.to_map()
        assert utterance.text == "Hello."

    @pytest.mark.parametrize("reply", [b"{}", b"[]", b"null", b'"text"', b'{"status": "completed"}'])
    def test_a_reply_without_a_transcript_is_refused(self, reply: bytes) -> None:
        with pytest.raises(LookupError, match=r"^the reply has no transcript$"):
            read_insights(reply)

    @pytest.mark.parametrize("reply", [b"nonsense", b"\xff"])
    def test_what_is_no_json_is_refused(self, reply: bytes) -> None:
        with pytest.raises(ValueError, match=r"^it is not JSON$"):
            read_insights(reply)


class TestSentiment:
    @pytest.mark.parametrize(
        ("word", "confidence", "score"),
        [
            ("POSITIVE", 0.8, 0.8),
            ("NEGATIVE", 0.8, -0.8),
            ("NEUTRAL", 0.8, 0),
            ("negative", None, -1),
            ("POSITIVE", 7, 1),
            ("POSITIVE", "?", 1),
        ],
    )
    def test_a_word_and_the_confidence_in_it(self, word: str, confidence: Any, score: float) -> None:
        assert scores(mood(word, 0, 1000, confidence)) == [score]

    def test_sentences_count_by_the_time_they_share_with_the_turn(self) -> None:
        turns = [turn(start=0, end=1000), turn(start=2000, end=3000)]
        moods = mood("POSITIVE", 0, 750), mood("NEGATIVE", 750, 2100), mood("NEUTRAL", 2100, 3000)
        assert scores(*moods, turns=turns) == [0.5, -0.1]

    def test_another_speakers_sentence_does_not_count(self) -> None:
        turns = [turn(), turn(speaker="B", start=500, end=1500), turn(speaker=None)]
        moods = mood("POSITIVE", 0, 1000, speaker="A"), mood("NEGATIVE", 500, 1500, speaker="B")
        assert scores(*moods, turns=turns) == [1.0, 0.333, -1.0]

    def test_a_null_start_is_the_end_before(self) -> None:
        turns = [turn(start=0, end=1000), turn(start=1000, end=2000)]
        moods = mood("NEGATIVE", None, 1000), mood("POSITIVE", None, 2000)
        assert scores(*moods, turns=turns) == [-1.0, 1.0]

    @pytest.mark.parametrize(
        "entry", [None, {}, mood("ODD", 0, 9), mood(None, 0, 9), mood("POSITIVE", 0, None), mood("POSITIVE", 5, 5)]
    )
    def test_what_says_nothing_is_left_out(self, entry: Any) -> None:
        assert scores(entry) == [None]

    def test_the_whole_is_the_mean_by_length_of_text(self) -> None:
        turns = [turn("aaa", 0, 10), turn("b", 10, 20), turn("c" * 90, 20, 30)]
        insights = read(
            utterances=turns, sentiment_analysis_results=[mood("POSITIVE", 0, 10), mood("NEGATIVE", 10, 20)]
        )
        assert insights.sentiment == 0.5


class TestTheRest:
    def test_only_relevant_categories_and_none_beside_its_descendants(self) -> None:
        summary = {
            "Science": 1.0,
            "Science>Physics": 0.49,
            "Science>Physics>Optics": 0.1,
            "ScienceFiction": 0.2,
            "Travel": 0.3,
            "Travel>Europe": 0.0999,
            "Religion>Astrology": 0.0103,
            "Hobbies>Paranormal": 0.0022,
        }
        assert read(text="Hm", iab_categories_result={"summary": summary}).topics == [
            Topic("Science>Physics>Optics", 0.1),
            Topic("ScienceFiction", 0.2),
            Topic("Travel", 0.3),
        ]

    @pytest.mark.parametrize(
        ("code", "language"),
        [("en", "en"), ("en_us", "en-US"), ("en_uk", "en-GB"), ("de_ch", "de-CH"), (None, None)],
    )
    def test_the_language(self, code: Any, language: str | None) -> None:
        assert read(text="Hm", language_code=code).language == language

    def test_topics_are_categories_and_key_phrases_each_once(self) -> None:
        insights = read(
            text=None,
            summary="They met.",
            iab_categories_result={"status": "success", "summary": {"News>Weather": 0.98, "Travel": None}},
            auto_highlights_result={
                "results": [
                    {"text": "air quality", "rank": 0.08},
                    {"text": "haze"},
                    {"rank": 1},
                    {"text": "Travel", "rank": 0.5},
                ]
            },
            entities=[{"entity_type": "location", "text": "Canada", "start": 2548, "end": 3130}],
        )
        assert insights == Insights(
            transcript=[],
            summary="They met.",
            topics=[
                Topic("News>Weather", 0.98),
                Topic("Travel", 0.5),
                Topic("air quality", 0.08),
                Topic("haze"),
            ],
            entities=[Entity("Canada", "location", 2548, 3130)],
        )

    def test_entities_as_often_as_they_were_said(self) -> None:
        said = [
            {"entity_type": "person_name", "text": "Bob Smith", "start": 100, "end": 900},
            {"entity_type": "person_name", "text": "Bob Smith", "start": "2000", "end": None},
            {"entity_type": "Some-New Kind", "text": " x ", "start": {}, "end": True},
            *({"entity_type": "date"}, {"entity_type": "date", "text": " "}, {"text": "x", "entity_type": "–"}),
            *({"text": 7, "entity_type": 7}, {"text": ["x"], "entity_type": "date"}, None, 5),
        ]
        assert read(text="Hm", entities=said).entities == [
            Entity("Bob Smith", "person_name", 100, 900),
            Entity("Bob Smith", "person_name", 2000),
            Entity("x", "some_new_kind"),
            Entity("7", "7"),
        ]
        assert read(text="####", entities=said, redact_pii=True).entities == [], "they would show what is redacted"

    @pytest.mark.parametrize("wrong", [None, 5, "x", [], {}, [5], {"summary": 5, "results": 5}])
    def test_parts_of_another_type_lose_only_themselves(self, wrong: Any) -> None:
        names = (
            "sentiment_analysis_results",
            "iab_categories_result",
            "auto_highlights_result",
            "entities",
            "chapters",
        )
        assert len(read(utterances=[turn()], **dict.fromkeys(names, wrong)).transcript) == 1
