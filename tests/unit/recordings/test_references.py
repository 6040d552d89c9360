"""A caller's own words: its reference and metadata, from a start to the list."""

from typing import Any

import pytest

from recording_insights.errors import InvalidRequest, NotFound
from recording_insights.recordings import list as listing
from recording_insights.recordings.change import update_recording
from recording_insights.recordings.list import list_recordings
from recording_insights.recordings.read import public
from recording_insights.store.recordings import RecordingStore
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import wanted

TICKET = "ticket 7/2026"


@pytest.fixture
def update(store: RecordingStore, agora: Any, clock: FakeClock) -> Any:
    return lambda recording_id, **fields: update_recording(
        recording_id, fields, store=store, agora=agora, deadline=clock.deadline()
    )


def begun(start: Any, channel: str, **fields: Any) -> str:
    return str(start(wanted(channel=channel, **fields)).recording["recording_id"])


def found(store: RecordingStore, **query: str) -> list[str]:
    """The channels of the recordings that a query finds, over all of its pages."""
    channels: list[str] = []
    while True:
        page = list_recordings(query, store=store)
        channels += [each["channel"] for each in page["recordings"]]
        if "cursor" not in page:
            return channels
        query["cursor"] = page["cursor"]


def test_a_start_keeps_the_words_of_its_caller(start: Any, store: RecordingStore) -> None:
    recording = start(wanted(reference=TICKET, metadata={"team": "north"})).recording

    assert (public(recording)["reference"], public(recording)["metadata"]) == (TICKET, {"team": "north"})
    (listed,) = list_recordings({"reference": TICKET}, store=store)["recordings"]
    assert (listed["reference"], listed["metadata"]) == (TICKET, {"team": "north"})


def test_a_change_moves_a_recording_to_another_reference(
    start: Any, update: Any, store: RecordingStore, clock: FakeClock
) -> None:
    begun(start, "one", reference=TICKET)
    clock.sleep(1)
    two = begun(start, "two", reference=TICKET)
    assert found(store, reference=TICKET) == ["two", "one"]

    update(two, reference="other", metadata={"a": "b"})
    assert (found(store, reference=TICKET), found(store, reference="other")) == (["one"], ["two"])
    update(two, reference="other")
    assert found(store, reference="other") == ["two"]
    changed = update(two, reference=None, metadata=None)

    assert found(store, reference="other") == []
    assert changed.keys().isdisjoint({"reference", "metadata"})


def test_a_change_that_another_one_overtakes_is_made_again(
    start: Any, update: Any, store: RecordingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = begun(start, "one", reference=TICKET)
    get, overtaken = RecordingStore.get, iter([True])

    def get_and_lose(self: RecordingStore, recording_id: str) -> Any:
        row = get(self, recording_id)
        if next(overtaken, False):
            self.update(recording_id, {"metadata": {"by": "another"}})
        return row

    monkeypatch.setattr(RecordingStore, "get", get_and_lose)
    store.refer(one, {"reference": "other"})

    assert (found(store, reference=TICKET), found(store, reference="other")) == ([], ["one"])
    assert store.get(one)["metadata"] == {"by": "another"}
    with pytest.raises(NotFound):
        store.refer("0" * 32, {"reference": "other"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reference", ""),
        ("reference", "x" * 257),
        ("reference", "a\nb"),
        ("reference", "\u202egnp.exe"),
        ("reference", 7),
        ("metadata", []),
        ("metadata", {f"k{number}": "v" for number in range(17)}),
        ("metadata", {"a": 1}),
        ("metadata", {"a": "x" * 4097}),
        ("metadata", {f"k{number}": "ü" * 150 for number in range(16)}),
        ("metadata", {"a": "\x00"}),
        ("metadata", {"__proto__": "x"}),
        ("metadata", {"": "x"}),
        ("metadata", {"a": {"b": "c"}}),
    ],
)
def test_hostile_words_are_refused_with_their_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        wanted(**{field: value})
    assert refusal.value.field.partition(".")[0] == field


def test_filters_fit_together(start: Any, store: RecordingStore, clock: FakeClock) -> None:
    moments = []
    for number, channel in enumerate(("a", "b", "c")):
        moments.append(store.timestamp)
        begun(start, channel, reference=f"r{number % 2}")
        clock.sleep(60)
    store.update(store.newest(None, 1)[0]["recording_id"], {"status": "done"})

    assert found(store, limit="1") == ["c", "b", "a"]
    assert found(store, limit="1", provider="marsview") == ["c", "b", "a"]
    assert found(store, provider="deepgram") == []
    assert found(store, channel="b") == ["b"]
    assert found(store, status="done,recording,starting") == ["c", "b", "a"]
    assert found(store, status="done") == ["c"]
    assert found(store, status="done,failed") == ["c"]
    assert found(store, since=moments[1]) == ["c", "b"]
    assert found(store, until=moments[1]) == ["a"]
    assert found(store, since=moments[1], until=moments[2]) == ["b"]
    assert found(store, reference="r0", channel="c") == ["c"]
    assert found(store, reference="r0", until=moments[2]) == ["a"]
    assert found(store, reference="r0", limit="1") == ["c", "a"]


def test_a_call_looks_at_so_many_recordings_and_goes_on_with_the_next(
    start: Any, store: RecordingStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_EXAMINED", 2)
    monkeypatch.setattr(listing, "MOST_READ", 3)
    for channel in ("wanted", "x", "y", "z"):
        begun(start, channel, reference=TICKET)
        clock.sleep(1)

    for filters in ({"channel": "wanted"}, {"channel": "wanted", "reference": TICKET}):
        first = list_recordings(filters, store=store)
        assert (first["recordings"], "cursor" in first) == ([], True)
        assert found(store, **filters) == ["wanted"]
