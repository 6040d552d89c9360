"""The Transcribe adapter with scripted responses of AWS, and its submission."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recording_insights.model.media_object import MediaObject
from recording_insights.providers.adapters.transcribe.calls import Transcribe
from recording_insights.providers.port import CallbackAddress, Delivery, Submission
from tests.transcribe_in_process import MEDIA_BUCKET, OUTPUT_BUCKET

NAME = "0123456789abcdef0123456789abcdef-0123456789abcdef0123-0"
JOB = {"name": NAME, "bucket": OUTPUT_BUCKET, "key": f"outputs/{NAME}.json"}


class Scripted:
    """A client of AWS: each call returns or raises the next entry; `asked` lists the parameters."""

    def __init__(self, entry: Any) -> None:
        self.entry = entry
        self.asked: list[dict[str, Any]] = []

    def answer(self, **parameters: Any) -> Any:
        self.asked.append(parameters)
        if isinstance(self.entry, Exception):
            raise self.entry
        return self.entry

    start_transcription_job = get_transcription_job = get_object = answer


def scripted(entry: Any) -> Transcribe:
    aws = Scripted(entry)
    return Transcribe(transcribe=aws, s3=aws)


def error(code: str, status: int = 400, message: str = "no", headers: Mapping[str, str] | None = None) -> Exception:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": dict(headers or {})},
    }
    return ClientError(response, "StartTranscriptionJob")


def submission(**options: Any) -> Submission:
    def no_link() -> str:
        raise AssertionError("Transcribe needs no link")

    return Submission(
        title="talk",
        name=NAME,
        media=MediaObject(MEDIA_BUCKET, "talks/two words.mp4", "etag", 5, datetime(2026, 3, 12, tzinfo=UTC)),
        options=options,
        make_link=no_link,
        open_media=lambda: pytest.fail("Transcribe reads the media itself"),
        callback=CallbackAddress("https://api.test/callbacks", "the-token"),
        delivery=Delivery(OUTPUT_BUCKET, f"deliveries/transcribe/{NAME}", no_link),
    )


def submit(provider: Transcribe, **options: Any) -> Any:
    return provider.submit(submission(**options), {}, lambda job: pytest.fail("there is no half-made job"))
