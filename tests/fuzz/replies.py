"""Replies of providers: what "Save insights" makes of a damaged one, and what the API returns of that."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import RecordingInsightsError
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.progress import Progress
from recording_insights.processing.save_insights import save_insights
from recording_insights.providers.registry import PROVIDERS
from recording_insights.recordings.insights_answer import answer_insights
from recording_insights.store.insights import InsightStore
from recording_insights.store.media import MediaStore
from tests.fuzz.answers import adapter_of
from tests.fuzz.damage import damaged_json, files, json_of
from tests.fuzz.properties import assert_in_words, assert_storable, assert_valid
from tests.fuzz.target import Target
from tests.unit.fake_table import FakeTable
from tests.unit.fakes import FakeClock, FakeS3

R = "5eb63bbbe01eeed093cb22bb8f5acdc3"
MEDIA = MediaObject("recordings-bucket", "talk.mp4", "etag-1", 1000, datetime(2026, 3, 12, tzinfo=UTC))
MOST_GROWTH = 40
"""Bytes of rows per byte of a reply: the table repeats some names for each line."""


def targets() -> Iterator[Target]:
    """Yield a fuzzer for each provider."""
    for provider in PROVIDERS:
        seeds = [json_of(path) for path in files(f"replies/{provider}*.json")]
        yield Target(f"reply of {provider}", damaged_json(*seeds), partial(check, provider))


def check(provider: str, reply: bytes) -> None:
    table: Any = FakeTable()
    s3: Any = FakeS3({("replies-bucket", "the-reply"): reply})
    clock = FakeClock()
    store = MediaStore(table, clock.now, clock.sleep)
    store.admit(R, MEDIA, providers=[provider], duration_ms=60_000)
    store.note(R, MEDIA.media_id, reply="the-reply")
    adapter = adapter_of(provider, lambda *_: None)
    try:
        save_insights(
            Progress(R, MEDIA.media_id, MEDIA.key),
            store=store,
            insight_store=InsightStore(table),
            replies=ReplyStore(s3, "replies-bucket"),
            provider_for=lambda name: adapter,
        )
    except RecordingInsightsError as error:
        assert_in_words(error, reply)
        return
    collection = InsightStore(table).read(R)
    assert_valid(collection.insights[MEDIA.media_id], reply)
    size = sum(assert_storable(table.get_item(Key={"pk": pk, "sk": sk})["Item"]) for pk, sk in table.items)
    assert size <= MOST_GROWTH * len(reply) + 10_000, f"{size} bytes of rows from {len(reply)} of a reply"
    json.dumps(answer_insights(R, collection), ensure_ascii=False, allow_nan=False).encode()
