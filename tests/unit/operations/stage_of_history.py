"""A bucket with old media and a stage that takes them, in memory: it can break off before and after any call."""

import io
import wave
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import md5
from typing import Any, TypeVar

from operations.backfill.intake import Away, Erased, Failing, Providers, Refused
from operations.backfill.order import Backfill, Order, Result
from operations.backfill.stored import RecordingsBucket
from operations.workers import Workers
from recording_insights.model.media_object import MediaObject
from tests.unit.operations.fake_account import aws_error

Found = TypeVar("Found")
BUCKET = "history"
AT = datetime(2025, 11, 28, tzinfo=UTC)


class Killed(BaseException):
    """The program is gone: nothing of it runs any more."""


@cache
def sound(seconds: float) -> bytes:
    """A WAV file of this length."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(16000 * seconds)))
    return buffer.getvalue()


@dataclass
class HistoryS3:
    """The objects of one bucket. `classes` has storage classes by key, and `denies` an error of each GET."""

    objects: dict[str, bytes] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    denies: str = ""
    gets: int = 0

    def etag(self, key: str) -> str:
        return md5(self.objects[key]).hexdigest()  # noqa: S324 - as S3 does

    def get_paginator(self, name: str) -> "HistoryS3":
        assert name == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str, OptionalObjectAttributes: Any) -> Iterator[Mapping[str, Any]]:
        assert (Bucket, OptionalObjectAttributes) == (BUCKET, ["RestoreStatus"])
        entries = [
            {
                "Key": key,
                "ETag": f'"{self.etag(key)}"',
                "Size": len(body),
                "LastModified": AT,
                "StorageClass": self.classes.get(key, "STANDARD"),
            }
            for key, body in sorted(self.objects.items())
            if key.startswith(Prefix)
        ]
        for first in range(0, len(entries), 2):
            yield {"Contents": entries[first : first + 2]}
        if not entries:
            yield {}

    def head_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        if Key not in self.objects:
            raise aws_error("404", "HeadObject", 404)
        body = self.objects[Key]
        return {"ETag": f'"{self.etag(Key)}"', "ContentLength": len(body), "LastModified": AT} | (
            {"StorageClass": self.classes[Key]} if Key in self.classes else {}
        )

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int) -> Mapping[str, Any]:
        return {"Contents": [{"Key": key} for key in sorted(self.objects) if key.startswith(Prefix)][:MaxKeys]}

    def get_object(self, *, Bucket: str, Key: str, IfMatch: str = "", Range: str = "") -> Mapping[str, Any]:
        self.gets += 1
        if self.denies:
            raise aws_error(self.denies, "GetObject", 403)
        first, last = Range.removeprefix("bytes=").split("-") if Range else ("0", str(len(self.objects[Key])))
        body = self.objects[Key][int(first) : int(last) + 1]
        return {"Body": io.BytesIO(body), "ContentLength": len(body), "LastModified": AT}


@dataclass
class StageOfHistory:
    """What GET and POST of the API do, without AWS. A media object is done some pauses after its admission.

    `kills` names the number of a call and whether the program is gone before or after it. `fails` has reason codes by
    key, and `breaks` the keys whose admission is a fault. `away` are errors of the next calls. `paid` has the key of
    each job.
    """

    s3: HistoryS3 = field(default_factory=HistoryS3)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    paid: list[str] = field(default_factory=list)
    slots: int | None = 2
    standing: dict[str, Any] = field(default_factory=dict)
    prefixes: dict[str, list[str]] = field(default_factory=dict)
    fails: dict[str, str] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)
    breaks: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    away: list[Exception] = field(default_factory=list)
    loses_answers: bool = False
    kills: tuple[int, str] | None = None
    calls: int = 0
    most_at_once: int = 0
    pauses: int = 0
    now: float = 0.0
    lines: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    on_pause: Callable[[], None] = lambda: None

    # The API

    def find(self, recording_id: str) -> Mapping[str, Any] | None:
        return self._called(lambda: self._find(recording_id))

    def take(self, key: str, provider: str | None) -> Mapping[str, Any]:
        return self._called(lambda: self._take(key, provider))

    def retry(self, recording_id: str, media_id: str, provider: str | None) -> None:
        self._called(lambda: self._retry(recording_id, provider))

    def providers(self) -> Providers:
        standing = {
            "provider": "deepgram",
            "paused": False,
            "slots": self.slots,
            "slots_used": len(self.at_work),
            "health": "closed",
            "queued": 0,
        }
        listed = [{**standing, **self.standing}, {**standing, "provider": "transcribe"}, {"provider": "bedrock"}]
        return self._called(lambda: Providers.of({"providers": listed, "prefixes": self.prefixes}))

    # The operator

    def backfill(self, order: Order | None = None, *, dry_run: bool = False) -> Result:
        """Run a backfill of the whole bucket, or of an order."""
        backfill = Backfill(
            RecordingsBucket(self.s3, BUCKET),  # type: ignore[arg-type]
            self,
            self.lines.append,
            self.shown.append,
            self.asked.append,
            workers=Workers(1),
            clock=lambda: self.now,
            sleep=self.sleep,
        )
        return backfill.run(order or Order(""), dry_run=dry_run)

    def sleep(self, seconds: float) -> None:
        """Let the stage work on meanwhile."""
        assert self.pauses < 10_000, "it waits for ever"
        self.pauses += 1
        self.now += seconds
        for media in self.at_work:
            media["looks"] = media.get("looks", 0) + 1
            media["status"] = "submitted"
            if media["looks"] > 2:
                code = self.fails.get(media["key"])
                media |= {"status": "failed", "reason_code": code} if code else {"status": "done"}
        self.on_pause()

    @property
    def at_work(self) -> list[dict[str, Any]]:
        return [
            media for row in self.rows.values() for media in row["media"] if media["status"] not in ("done", "failed")
        ]

    def put(self, *keys: str, seconds: float = 1.0) -> None:
        """Put media into the bucket whose content differs."""
        for key in keys:
            self.s3.objects[key] = sound(seconds) + key.encode()

    def media(self, key: str) -> dict[str, Any]:
        """The row of an object by hand."""
        [found] = self.rows[self._media_object(key).own_recording_id]["media"]
        return dict(found)

    def _called(self, call: Callable[[], Found]) -> Found:
        self.calls += 1
        if self.kills == (self.calls, "before"):
            raise Killed
        if self.away and not self.loses_answers:
            raise Away(self.away.pop())
        try:
            found = call()
        finally:
            if self.kills == (self.calls, "after"):
                raise Killed
        if self.away:
            raise Away(self.away.pop())
        return found

    def _media_object(self, key: str) -> MediaObject:
        return MediaObject(BUCKET, key, self.s3.etag(key), len(self.s3.objects[key]), AT).in_channel("")

    def _find(self, recording_id: str) -> Mapping[str, Any] | None:
        if recording_id in self.erased:
            raise Erased
        return self.rows.get(recording_id)

    def _take(self, key: str, provider: str | None) -> Mapping[str, Any]:
        if key in self.breaks:
            raise Failing(ArithmeticError("our fault"))
        if key in self.refuses:
            raise Refused(self.refuses[key])
        media = self._media_object(key)
        if any(row["media_id"] == media.media_id for row in self._media_of(media)):
            raise Refused(f"{key} is a media object already")
        row = {"media_id": media.media_id, "key": media.key, "status": "waiting", "provider": provider or "deepgram"}
        recording = {"recording_id": media.own_recording_id, "status": "processing", "media": [row]}
        self.rows[media.own_recording_id] = recording
        self._pay(key)
        return {"recording_id": media.own_recording_id, "media_id": media.media_id}

    def _media_of(self, media: MediaObject) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.rows.get(media.own_recording_id, {"media": []})["media"]
        return found

    def _retry(self, recording_id: str, provider: str | None) -> None:
        [media] = self.rows[recording_id]["media"]
        if media["status"] != "failed":
            raise Refused("it is at work")
        media |= {"status": "waiting", "looks": 0, "tries": [*media.get("tries", []), {"status": "failed"}]}
        media["provider"] = provider or media["provider"]
        self._pay(media["key"])

    def _pay(self, key: str) -> None:
        self.paid.append(key)
        self.most_at_once = max(self.most_at_once, len(self.at_work))
