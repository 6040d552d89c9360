"""Which media objects of the bucket are new to a stage, which are under way, and which are left out and why."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, cast

from operations.backfill.intake import Erased, Intake, Patience, Providers
from operations.backfill.stored import Archived, Stored
from operations.deployed_stack import Report
from operations.workers import Workers
from recording_insights.errors import MediaObjectGone, NotMedia
from recording_insights.model.media_object import MediaObject, why_ignored
from recording_insights.model.status import ERASING, FINAL
from recording_insights.store.rows import RecordingRow

MOST_KEYS = 5
"""Keys that are named of each reason to leave objects out."""
REPORT_EVERY = 500
LOOKED_UP_AT_ONCE = 1000
"""Media objects whose recordings are read before the next ones are listed: a limit spares the rest."""
DIFFER = ("not_admitted", "not_taken", "refused")
"""Codes whose reasons name the object or its recording."""

Duration = Callable[[MediaObject], int | None]
"""Returns a length in ms or None. Raises NotMedia, MediaObjectGone and Archived."""


@dataclass(frozen=True)
class Item:
    """A media object of the backfill.

    `provider` is the one that gets it. `duration_ms` is None if the length is not known. `failed_with` is the reason
    code of the try that failed, if it is to be retried, and `tries` the number of tries that were before that one.
    """

    media: MediaObject
    recording_id: str
    provider: str
    duration_ms: int | None = None
    failed_with: str | None = None
    tries: int = 0

    @property
    def key(self) -> str:
        """The key to name it by: that of the object that was found."""
        return self.media.playlist or self.media.key


@dataclass
class Group:
    """Objects that are left out for one reason. `keys` are the first of them."""

    code: str
    reason: str
    number: int = 0
    keys: list[str] = field(default_factory=list)


@dataclass
class Skipped:
    """What is left out, by code and reason."""

    groups: dict[tuple[str, str], Group] = field(default_factory=dict)

    def add(self, code: str, reason: str, key: str) -> None:
        """Count an object. Reasons that differ by object are one group, with the first reason."""
        place = (code, "" if code in DIFFER else reason)
        group = self.groups.setdefault(place, Group(code, reason))
        group.number += 1
        if len(group.keys) < MOST_KEYS:
            group.keys.append(key)

    @property
    def number(self) -> int:
        return sum(group.number for group in self.groups.values())


@dataclass
class Plan:
    """`new` is in the order of the keys. `under_way` was admitted before, by an earlier run of the same backfill.

    `is_whole` is false if the limit was reached before all objects were looked at.
    """

    new: list[Item] = field(default_factory=list)
    under_way: list[Item] = field(default_factory=list)
    skipped: Skipped = field(default_factory=Skipped)
    seen: int = 0
    is_whole: bool = True


@dataclass
class Recordings:
    """The recordings of a stage by id, each read once."""

    intake: Intake
    patience: Patience
    workers: Workers
    report: Report
    _known: dict[str, Mapping[str, Any] | Erased | None] = field(default_factory=dict)

    def read(self, ids: Iterable[str]) -> None:
        """Read those that are not known yet, many at once."""
        wanted = [each for each in dict.fromkeys(ids) if each not in self._known]
        for number, (recording_id, found) in enumerate(self.workers.each(self._find, wanted), 1):
            self._known[recording_id] = found
            if number % REPORT_EVERY == 0:
                self.report(f"{number} of {len(wanted)} recordings looked up")

    def find(self, recording_id: str) -> Mapping[str, Any] | None:
        """Return a recording or None. Raises Erased."""
        self.read([recording_id])
        found = self._known[recording_id]
        if isinstance(found, Erased):
            raise found
        return found

    def _find(self, recording_id: str) -> tuple[str, Mapping[str, Any] | Erased | None]:
        try:
            found = self.patience(lambda: self.intake.find(recording_id))
        except Erased as erased:
            return recording_id, erased
        if found is not None and found.get("status") == ERASING:
            return recording_id, Erased()
        return recording_id, found


@dataclass
class Planner:
    """Sorts the objects of the bucket `bucket` into a plan.

    `providers` are those of the stage, and `provider` is the one that the caller named.
    """

    bucket: str
    recordings: Recordings
    duration: Duration
    providers: Providers
    provider: str | None = None
    retries_failed: bool = False
    plan: Plan = field(default_factory=Plan)

    def make(self, files: Iterable[Stored], *, limit: int | None = None) -> Plan:
        """Return the plan with at most `limit` new media objects, whose lengths are read if S3 and the caller may.

        Raises:
            ClientError: S3 does not list the bucket.
            Exception: the API's own error if it stays away.
        """
        media = self._media(files)
        while chunk := list(islice(media, LOOKED_UP_AT_ONCE)):
            self._place_all(chunk)
            if limit is not None and len(self.plan.new) >= limit:
                self.plan.is_whole = next(media, None) is None
                break
        over, self.plan.new = self.plan.new[limit:] if limit is not None else [], self.plan.new[:limit]
        for item in over:
            self.plan.skipped.add("over_limit", "there are more than --limit", item.key)
        measured = self.recordings.workers.each(self._measured, self.plan.new)
        self.plan.new = [item for item in measured if item is not None]
        return self.plan

    def _place_all(self, media: Sequence[MediaObject]) -> None:
        recordings = self.recordings
        recordings.read(each for one in media for each in one.folder_ids)
        recordings.read(each for one in media for each in (*one.earlier_recording_ids, one.own_recording_id))
        for one in media:
            self._place(one)

    def _media(self, files: Iterable[Stored]) -> Iterator[MediaObject]:
        """Yield what is media by its key, each track and each key once."""
        seen: set[tuple[str, str]] = set()
        for file in files:
            self.plan.seen += 1
            if self.plan.seen % (10 * REPORT_EVERY) == 0:
                self.recordings.report(f"{self.plan.seen} objects listed")
            media = file.media_in(self.bucket)
            if reason := why_ignored(media):
                self.plan.skipped.add("not_media", reason, file.key)
            elif file.is_archived:
                self._skip_archived(file.key)
            elif (media.key, media.etag) not in seen:
                seen.add((media.key, media.etag))
                yield media

    def _skip_archived(self, key: str) -> None:
        self.plan.skipped.add("archived", "the object is in an archive of S3: restore it first", key)

    def _place(self, media: MediaObject) -> None:
        """Sort a media object by the rows of its recording."""
        skipped, key = self.plan.skipped, media.playlist or media.key
        try:
            media, recording_id, recording = self._recording_of(media)
        except Erased:
            skipped.add("erased", "its recording was erased, or is being erased", key)
            return
        made = cast(RecordingRow, recording) if recording and "prefix" in recording else None
        if reason := why_ignored(media, recording=made):
            skipped.add("not_taken", reason, key)
            return
        named = self.provider or (recording or {}).get("provider")
        provider = str(named or self.providers.provider_of(media.key))
        item = Item(media, recording_id, provider)
        row = row_of(media, media.media_id, recording)
        if row is None:
            if any(media.key in each.get("copies", ()) for each in (recording or {}).get("media", ())):
                skipped.add("same_content", "its recording has a media object with the same content", key)
            else:
                self.plan.new.append(item)
            return
        self._place_known(replace(item, provider=str(row.get("provider") or provider)), row)

    def _place_known(self, item: Item, row: Mapping[str, Any]) -> None:
        if row["status"] not in FINAL:
            self.plan.under_way.append(item)
        elif row["status"] == "done":
            self.plan.skipped.add("done", "it was processed before", item.key)
        elif self.retries_failed:
            tries, code = len(row.get("tries", ())), str(row.get("reason_code"))
            known = row.get("duration_ms")
            anew = replace(item, provider=self.provider or item.provider, failed_with=code, tries=tries)
            self.plan.new.append(replace(anew, duration_ms=known if isinstance(known, int) else None))
        else:
            reason = f"it failed before with {row.get('reason_code')}: --retry-failed processes it again"
            self.plan.skipped.add("failed_before", reason, item.key)

    def _recording_of(self, media: MediaObject) -> tuple[MediaObject, str, Mapping[str, Any] | None]:
        """Return what the arrival would make of an object: the media object, and its recording's id and row.

        Raises Erased.
        """
        find = self.recordings.find
        for recording_id in media.folder_ids:
            found = find(recording_id)
            if found and "prefix" in found:
                return media.in_channel(str(found.get("channel", ""))), recording_id, found
        for recording_id in media.earlier_recording_ids:
            found = find(recording_id)
            if found and "prefix" not in found and found.get("sid") == recording_id:
                return media, recording_id, found
        return media, media.own_recording_id, find(media.own_recording_id)

    def _measured(self, item: Item) -> Item | None:
        if item.failed_with is not None:
            return item
        skipped = self.plan.skipped
        try:
            return replace(item, duration_ms=self.duration(item.media))
        except NotMedia as error:
            skipped.add("not_media", str(error), item.key)
        except MediaObjectGone as error:
            skipped.add("gone", str(error), item.key)
        except Archived:
            self._skip_archived(item.key)
        return None


def row_of(media: MediaObject, media_id: str, recording: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return the row of a media object among those of its recording; of a track that of its last continuation."""
    rows: Sequence[Mapping[str, Any]] = (recording or {}).get("media", ())
    if media.is_track:
        of_track = [row for row in rows if row["key"] == media.key]
        return max(of_track, key=lambda row: int(row.get("continuation", 0)), default=None)
    return next((row for row in rows if row["media_id"] == media_id), None)
