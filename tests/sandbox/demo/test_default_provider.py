"""The local stack's default provider with its default options, over speech that is really recognised."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.settings import StackSettings
from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.deepgram.calls import Deepgram
from recording_insights.providers.port import NO_CALLBACK, Delivery, Submission
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.cloud.context import full_context
from sandbox.cloud.location import Location
from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import beginning_mp4
from sandbox.stand_ins.credentials import credentials
from tests.sandbox.conftest import NOW, StandIns
from tests.stand_in_session import HOST, stand_in_session

LINK = "https://bucket.example/talk.mp4?X-Amz-Signature=5ec0de"


def test_the_demo_finds_a_summary_topics_and_sentiments(recognising_stand_ins: StandIns, tmp_path: Path) -> None:
    settings = StackSettings.from_context(full_context(Location(tmp_path), {}))
    assert settings.provider == "deepgram"
    adapter = Deepgram(
        VendorHttp("Deepgram", f"{HOST}/deepgram", stand_in_session(recognising_stand_ins.client)),
        lambda fresh: credentials()["deepgram"],
    )
    media = tmp_path / "talk.mp4"
    beginning_mp4(SAMPLE, 13.0, media)
    recognising_stand_ins.links[LINK] = media
    adapter.submit(
        Submission(
            title="talk",
            name="rec-media-0",
            media=MediaObject("bucket", "talk.mp4", "etag", 5, datetime.fromtimestamp(NOW, UTC)),
            options=settings.provider_options.get("deepgram", {}),
            make_link=lambda: LINK,
            open_media=lambda: pytest.fail("Deepgram downloads the media itself"),
            callback=NO_CALLBACK,
            delivery=Delivery("bucket", "key", lambda: "https://bucket.example/deliveries/rec-media-0.json"),
        ),
        {},
        lambda job: None,
    )
    recognising_stand_ins.finish()
    [delivered] = recognising_stand_ins.sent
    assert delivered.method == "PUT"
    insights = adapter.read_insights(delivered.body)
    assert "big problem" in " ".join(utterance.text for utterance in insights.transcript)
    assert len({utterance.speaker for utterance in insights.transcript}) == 2
    assert all(utterance.sentiment is not None for utterance in insights.transcript)
    assert insights.summary
    assert "problem" in [topic.text.lower() for topic in insights.topics]
