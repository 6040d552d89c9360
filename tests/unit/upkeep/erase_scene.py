"""A recording with everything that one can have, and the functions that erase it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from recording_insights.agora.client import AgoraClient
from recording_insights.aws.object_versions import ObjectVersions
from recording_insights.errors import ProviderNotConfigured
from recording_insights.model.insights import Insights, Utterance
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.turns import Turns
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import Capabilities, Job
from recording_insights.recordings.start import start_recording
from recording_insights.store.derivations import DerivationStore, turn_of
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import statement_key
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import DeliveryRow, RecordingRow
from recording_insights.store.subscriptions import DeliveryStore
from recording_insights.store.turns import TurnStore
from recording_insights.upkeep.erase import erase_recording
from recording_insights.upkeep.erase_page import Erase, Eraser
from tests.unit.agora.fake_agora import FakeAgora, client_of
from tests.unit.agora.fake_sts import FakeSts, uploader_of
from tests.unit.crashing_table import Crash, CrashingTable
from tests.unit.fakes import FakeClock
from tests.unit.recordings.wanted import wanted
from tests.unit.versioned_s3 import VersionedS3

RECORDINGS, REPLIES = "recordings-bucket", "replies-bucket"
WORDS = ("the table was broken", "a secret of the caller's")
REFERENCE = "ticket-4711"
OTHER = "0" * 32
MOST_PAGES = 200


@dataclass
class ErasingProvider:
    """A provider that deletes `jobs`; `faults` come before."""

    through: Callable[..., Any]
    jobs: list[Job] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    capabilities: Capabilities = field(default_factory=lambda: Capabilities("url", Pace(5, 0.3)))

    def delete(self, job: Job) -> bool:
        if self.faults:
            raise self.faults.pop(0)
        self.through(self._delete, job=dict(job))
        return True

    def _delete(self, job: Job) -> None:
        if job not in self.jobs:
            self.jobs.append(job)


@dataclass
class KeepingProvider:
    """A provider that has no call which deletes."""

    capabilities: Capabilities = field(default_factory=lambda: Capabilities("url", Pace(5, 0.3)))


@dataclass
class Executions:
    """The state machine that erases: `started` by name, each with its input; those in `over` have ended."""

    started: dict[str, str] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)

    def start(self, *, name: str, state: str) -> bool:
        assert len(name) <= 80
        if name in self.started:
            return False
        self.started[name] = state
        return True

    def is_running(self, name: str) -> bool:
        return name in self.started and name not in self.over


class EraseScene:
    """One recording that is erased, and another one in the same table and buckets that stays."""

    table: Any

    def __init__(self, table: CrashingTable, clock: FakeClock | None = None) -> None:
        self.table = table
        self.clock = clock or FakeClock()
        self.s3 = VersionedS3(through=table._written)
        self.store = MediaStore(self.table, self.clock.now, self.clock.sleep)
        self.recordings = self.store.recordings
        self.vendor = FakeAgora()
        self.agora: AgoraClient = client_of(self.vendor, uploader_of(FakeSts(self.clock.now)))
        self.symbl = ErasingProvider(table._written)
        self.seameet = ErasingProvider(table._written)
        self.deepgram = KeepingProvider()
        self.woken: list[str] = []
        self.stopped: list[str] = []
        self.executions = Executions()
        self.turns = Turns(
            TurnStore(self.table, self.clock.now), {"symbl": 1, "seameet": 5, "bedrock": 1}, 5 * 3600, self._wake
        )
        s3: Any = self.s3
        self.eraser = Eraser(
            store=self.store,
            buckets={"recordings": ObjectVersions(s3, RECORDINGS), "replies": ObjectVersions(s3, REPLIES)},
            provider_for=self._provider_for,
            providers=("symbl", "seameet", "deepgram"),
            job_prefix="recording-insights-dev-",
            withdraw=self.turns.withdraw,
            end_wait=self._wake,
            stop_execution=self._stop_execution,
            stop_derivation=self._stop_execution,
            agora=lambda: self.agora,
            log_days=30,
        )

    # --- the scene

    def record(self, **fields: Any) -> RecordingRow:
        """Start a recording, in the channel "team" if the fields name no other."""
        return start_recording(
            wanted(reference=REFERENCE, metadata={"caller": WORDS[1]}, **fields),
            store=self.recordings,
            agora=self.agora,
            deadline=self.clock.deadline(),
            idempotency_key=fields.get("channel", "team"),
            who="anna",
        ).recording

    def fill(self, recording: RecordingRow) -> None:
        """Give a recording a media object in each state, with files, results and rows."""
        recording_id, folder = recording["recording_id"], recording["prefix"]
        self._done(recording_id, self._admit(recording_id, f"{folder}part_0.mp4", "symbl"))
        self._parked(self._admit(recording_id, f"{folder}part_1.mp4", "symbl"))
        self._awaits_callback(recording_id, self._admit(recording_id, f"{folder}part_2.mp4", "deepgram"))
        self.store.recordings.recorder_states.keep(recording, {"status": 5, "meaning": "records", "files": []})
        self.s3.put(RECORDINGS, f"{folder}part_0.mp4", f"{folder}a.ts", f"{folder}b.ts", f"{folder}list.m3u8")
        self.s3.put(RECORDINGS, f"{folder}list.m3u8", f"{folder}list.m3u8", f"prepared/{recording_id}/part-1.mp4")
        self.s3.hide(RECORDINGS, f"{folder}old.mp4")
        self._derived(recording_id)

    def other(self) -> None:
        """Have another recording with its own files, and rows that are no recording's."""
        row = self.record(channel="other-team", uid="43")
        recording_id = row["recording_id"]
        self._done(recording_id, self._admit(recording_id, f"{row['prefix']}part_0.mp4", "symbl"))
        self.s3.put(RECORDINGS, f"{row['prefix']}part_0.mp4", "talk.mp4", f"prepared/{recording_id}/x.mp4")
        self.s3.put(REPLIES, f"deliveries/deepgram/{recording_id}-x-0.json")

    def _derived(self, recording_id: str) -> None:
        """Have a model at work for a recording, with its slot, and what it found in an earlier transcript."""
        store = DerivationStore(self.table, self.clock.now)
        self.store.recordings.update(recording_id, {"insights": "pending", "derivations": 2})
        key = statement_key(recording_id, "e" * 16, "summary", 1)
        self.table.put_item(Item={**key, "text": WORDS[0], "evidence": ["1"]})
        row = store.begin(recording_id, number=2, digest="d" * 16, execution=f"{recording_id}-dddddddddddd-2")
        assert row is not None
        assert self.turns.take(turn_of(row)).slot == 0
        self.s3.put(
            REPLIES, *(f"derived/{recording_id}/{'d' * 16}/2/{name}.json" for name in ("progress", "answer-0001"))
        )

    def _admit(self, recording_id: str, key: str, provider: str) -> str:
        media = MediaObject(RECORDINGS, key, "etag", 1000, self.clock.now())
        self.store.admit(recording_id, media, providers=[provider], duration_ms=60_000)
        return media.media_id

    def _done(self, recording_id: str, media_id: str) -> None:
        said = Insights(transcript=[Utterance(speaker="1", text=WORDS[0], start_ms=0, end_ms=900)], summary=WORDS[0])
        saved = InsightStore(self.table).save(recording_id, media_id, 0, said)
        job = {"job_id": f"job {media_id}", "conversation_id": media_id}
        self.store.submitted(recording_id, media_id, job=job, provider="symbl")
        reply = f"{recording_id}/{media_id}-0.json"
        self.store.finish(recording_id, media_id, "done", reply=reply, counts=saved.counts)
        self.s3.put(REPLIES, reply, reply, f"{recording_id}/words-{media_id}-0.json")
        event: DeliveryRow = {"subscription_id": "s", "delivery_id": f"1-{media_id}", "body": WORDS[0]}
        DeliveryStore(self.table, self.clock.now).open({**event, "recording_id": recording_id})

    def _parked(self, media_id: str) -> None:
        """A retry waits for its turn; the try before had a job at a provider that names it by an id of its own."""
        row = next(row for row in self._all_media() if row["media_id"] == media_id)
        recording_id = row["recording_id"]
        job = {"meeting_id": "meeting 7", "callback_key": "meeting 7", "job_id": "8"}
        self.store.submitted(recording_id, media_id, job=job, provider="seameet")
        self.store.jobs.name(recording_id, media_id, provider="seameet", key="meeting 7")
        kept = "callbacks/seameet/5ec0de.json"
        self.store.note(recording_id, media_id, delivery=kept)
        self.s3.put(REPLIES, kept)
        self.store.give_up(recording_id, media_id, "too late", "no_result", provider="symbl")
        row = self.store.get(recording_id, media_id)
        self.turns.store.take_slot("symbl", 0, "another one", 2**40)
        place = self.turns.take(row).place
        self.store.note(recording_id, media_id, queue_place=place)
        token: dict[str, Any] = {
            "UpdateExpression": "SET task_token = :t",
            "ExpressionAttributeValues": {":t": f"of the queue {media_id}"},
        }
        self.table.update_item(Key={"pk": "PROVIDER#symbl", "sk": place}, **token)

    def _awaits_callback(self, recording_id: str, media_id: str) -> None:
        job = {"request_id": "request 1"}
        self.store.submitted(recording_id, media_id, job=job, provider="deepgram")
        self.store.note(recording_id, media_id, task_token=f"of the callback {media_id}")
        self.s3.put(REPLIES, f"callbacks/deepgram/{'a' * 64}-{recording_id}-{media_id}-0.json")
        self.s3.put(REPLIES, f"deliveries/deepgram/{recording_id}-{media_id}-0.json")

    def _all_media(self) -> list[Any]:
        return [item for item in self.table.scan()["Items"] if item["sk"].startswith("MEDIA#")]

    # --- the erase

    def ask(self, recording_id: str) -> Erase:
        """Do what the route does; return the input of the execution."""
        asked = erase_recording(recording_id, store=self.recordings, executions=self.executions, who="bert")
        return Erase(recording_id=recording_id, receipt_id=asked["receipt_id"])

    def page(self, erase: Erase, seconds: float = 300) -> Erase:
        """Do a page; an execution that Lambda ended without a word is repeated."""
        for _ in range(3):
            try:
                return self.eraser.page(erase, self.clock.deadline(seconds))
            except Crash:
                self.table.disarm()
        raise AssertionError("one crash ends one page")

    def run(self, erase: Erase, seconds: float = 300) -> list[Erase]:
        """Go on until the erase is over; return every page."""
        pages = [erase]
        while pages[-1].phase != "over":
            assert len(pages) < MOST_PAGES, pages[-3:]
            erase = Erase.from_state(self.page(pages[-1], seconds).to_state())
            pages.append(erase if erase.phase != "over" else replace(erase, wait_seconds=0))
            self.clock.elapsed += pages[-1].wait_seconds
        return pages

    def _wake(self, token: str) -> None:
        self.table._written(lambda: self.woken.append(token))

    def _stop_execution(self, name: str) -> None:
        self.table._written(lambda: self.stopped.append(name))

    def _provider_for(self, name: str, residency: str | None = None) -> Any:
        known = {"symbl": self.symbl, "seameet": self.seameet, "deepgram": self.deepgram}
        if name not in known:
            raise ProviderNotConfigured(name)
        return known[name]

    # --- what is left

    def mentions(self, *texts: str) -> list[str]:
        """The keys of rows and objects that hold one of the texts; the receipt's row is left out."""
        rows = [
            f"{item['pk']}/{item['sk']}"
            for item in self.table.scan()["Items"]
            if item["sk"] != "RECEIPT" and any(text in repr(item) for text in texts)
        ]
        return rows + [key for key in sorted(self.s3.keys()) if any(text in key for text in texts)]
