"""The local stack's default provider with its default options, over speech that is really recognised."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.settings import StackSettings
from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.assemblyai.calls import AssemblyAI
from recording_insights.providers.port import CallbackAddress, Delivery, Submission
from recording_insights.providers.toolkit.http import VendorHttp
from sandbox.cloud.context import full_context
from sandbox.cloud.location import Location
from sandbox.sample.conversation import SAMPLE
from sandbox.stand_ins.agora.media import beginning_mp4
from sandbox.stand_ins.credentials import credentials
from tests.sandbox.conftest import NOW, StandIns
from tests.stand_in_session import HOST, stand_in_session

LINK = "https://bucket.example/talk.mp4?X-Amz-Signature=5ec0de"


def test_the_demo_finds_sentiments_and_topics(recognising_stand_ins: StandIns, tmp_path: Path) -> None:
    settings = StackSettings.from_context(full_context(Location(tmp_path), {}))
    assert settings.provider == "assemblyai"
    adapter = AssemblyAI(
        VendorHttp("AssemblyAI", f"{HOST}/assemblyai", stand_in_session(recognising_stand_ins.client)),
        lambda fresh: credentials()["assemblyai"],
    )
    media = tmp_path / "talk.mp4"
    beginning_mp4(SAMPLE, 13.0, media)
    recognising_stand_ins.links[LINK] = media
    job = adapter.submit(
        Submission(
            title="talk",
            name="rec-media-0",
            media=MediaObject("bucket", "talk.mp4", "etag", 5, datetime.fromtimestamp(NOW, UTC)),
            options=settings.provider_options["assemblyai"],
            make_link=lambda: LINK,
            open_media=lambda: pytest.fail("AssemblyAI downloads the media itself"),
            callback=CallbackAddress("https://hooks.example/webhooks/assemblyai/rec/media", "70ken" * 12),
            delivery=Delivery("bucket", "key", lambda: "unused"),
        ),
        {},
        lambda job: None,
    )
    recognising_stand_ins.runtime.jobs.join(60)
    assert adapter.poll(job, None).phase == "succeeded"
    insights = adapter.read_insights(adapter.fetch(job, None))
    assert "big problem" in " ".join(utterance.text for utterance in insights.transcript)
    assert len({utterance.speaker for utterance in insights.transcript}) == 2
    assert all(utterance.sentiment is not None for utterance in insights.transcript)
    assert "Problem" in [topic.text for topic in insights.topics]
    [sent] = recognising_stand_ins.sent
    assert json.loads(sent.body)["status"] == "completed"
