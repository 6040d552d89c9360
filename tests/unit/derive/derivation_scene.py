"""A recording whose transcript is ready, and what derives insights from it: both functions, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.derive.begin_derivation import begin_derivation
from recording_insights.derive.brief import Brief
from recording_insights.derive.derive_insights import Patience, Step, derive_insights
from recording_insights.derive.model import Model
from recording_insights.model.insights import Insights, Utterance
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.turns import Turns
from recording_insights.store.derivations import DerivationStore
from recording_insights.store.insights import InsightStore
from recording_insights.store.keys import STATEMENT_PREFIX
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import Derivation, DerivedRow, RecordingRow
from recording_insights.store.turns import TurnStore
from tests.unit.crashing_table import CrashingTable
from tests.unit.derive.fake_model import NOVA
from tests.unit.fakes import FakeClock, FakeS3

RECORDINGS, REPLIES = "recordings-bucket", "replies-bucket"
TALK = (
    ("1", "Good morning Ben, can you send the offer to the customer by Friday?"),
    ("2", "Sure, I will send the offer by Friday."),
    ("1", "We decided to lower the price to 4,711 euros."),
    ("2", "Who pays for the delivery?"),
    ("1", "The customer pays for the delivery."),
)
STAGE = Brief(NOVA, (), max_cents=50)
MOST_STEPS = 200
LEASE_SECONDS = 5 * 3600


@dataclass
class CrashingS3(FakeS3):
    """Puts are among the writes of the table, at which a function may end."""

    table: CrashingTable | None = None

    def put_object(self, **arguments: Any) -> None:
        put = super().put_object
        if self.table is None:
            put(**arguments)
        else:
            self.table._written(put, **arguments)


@dataclass
class CrashingModel:
    """Calls of a model are among the writes of the table. `calls` are those that were answered."""

    model: Model
    table: CrashingTable
    calls: int = 0

    def converse(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        reply: Mapping[str, Any] = self.table._written(self._answer, request=request)
        return reply

    def _answer(self, *, request: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self.model.converse(request)
        self.calls += 1
        return answer


class DerivationScene:
    """`executions` are those started, by name, each with its input as text."""

    table: Any

    def __init__(self, table: CrashingTable, model: Model, *, slots: int = 5, talk: Sequence[Any] = TALK) -> None:
        self.table, self.clock = table, FakeClock()
        self.media = MediaStore(self.table, self.clock.now, self.clock.sleep)
        self.store = DerivationStore(self.table, self.clock.now)
        self.insights = InsightStore(self.table)
        self.s3 = CrashingS3(table=table)
        self.replies = ReplyStore(self.s3, REPLIES)  # type: ignore[arg-type]
        self.model = CrashingModel(model, table)
        self.woken: list[str] = []
        self.turns = Turns(TurnStore(self.table, self.clock.now), {"bedrock": slots}, LEASE_SECONDS, self.woken.append)
        self.executions: dict[str, str] = {}
        self.recording_id = self.say(talk)

    # --- the recording

    def say(self, talk: Sequence[Any], key: str = "talk.mp4", derivation: Derivation | None = None) -> str:
        """Have a media object transcribed; returns the id of its recording. Where there is one, it gets a part more."""
        media = MediaObject(RECORDINGS, key, "etag-1", 1000, self.clock.now())
        recording_id = self.media.recordings.recording_put_by_hand(media)
        self.admit(recording_id, media, derivation={} if derivation is None else derivation)
        self.transcribe(recording_id, media.media_id, talk)
        return recording_id

    def admit(self, recording_id: str, media: MediaObject, **given: Any) -> None:
        self.media.admit(recording_id, media, providers=["transcribe"], duration_ms=60_000, **given)
        self.media.recordings.settle(recording_id)

    def transcribe(self, recording_id: str, media_id: str, talk: Sequence[Any]) -> None:
        spoken = [
            Utterance(text, speaker, start_ms=1000 * number, end_ms=1000 * number + 900)
            for number, (speaker, text) in enumerate(talk, start=1)
        ]
        saved = self.insights.save(recording_id, media_id, 0, Insights(transcript=spoken))
        counts = {name: value for name, value in (("counts", saved.counts), ("outline", saved.outline)) if value}
        self.media.finish(recording_id, media_id, "done", **counts)  # type: ignore[arg-type]

    @property
    def recording(self) -> RecordingRow:
        return self.media.recordings.get(self.recording_id)

    @property
    def row(self) -> DerivedRow:
        row = self.store.find(self.recording_id)
        assert row is not None
        return row

    @property
    def statements(self) -> dict[str, Any]:
        """All statements, by the end of their key."""
        return {
            sort: self.table.get_item(Key={"pk": pk, "sk": sort})["Item"]
            for pk, sort in sorted(self.table.items)
            if pk == self.recording_id and sort.startswith(STATEMENT_PREFIX)
        }

    @property
    def kept(self) -> list[str]:
        """The names of the objects that were kept."""
        return sorted(key.rpartition("/")[2] for bucket, key in self.s3.objects if bucket == REPLIES)

    # --- the functions

    def begin(self, stage: Brief = STAGE) -> str | None:
        """The event that the transcript is ready."""
        return begin_derivation(
            self.recording_id,
            store=self.store,
            insights=self.insights,
            stage=stage,
            keep=self.replies.put,
            start=self._start,
        )

    def _start(self, *, name: str, state: str) -> bool:
        assert len(name) <= 80
        return self.executions.setdefault(name, state) is state

    def step(self, state: Mapping[str, Any], give_up_hours: int = 72, queue_days: int = 14) -> dict[str, Any]:
        """One call of the function."""
        return derive_insights(
            Step.from_state(state),
            store=self.store,
            turns=self.turns,
            objects=self.replies,
            model=self.model,
            patience=Patience(give_up_hours, queue_days),
            now=self.clock.now(),
        ).to_state()

    def run(self, state: Mapping[str, Any], **patience: int) -> list[dict[str, Any]]:
        """All calls of an execution, one after the other; a wait for a turn lasts to its end. Returns the outputs."""
        steps: list[dict[str, Any]] = []
        for _ in range(MOST_STEPS):
            steps.append(self.step(state, **patience))
            state = steps[-1]
            if state["outcome"] == "over":
                return steps
            if state["outcome"] == "parked":
                self.clock.elapsed += state["wait_seconds"]
                state = {**state, "timed_out": True}
        raise AssertionError(f"no end: {state}")
