"""Both functions with the environment that the stack gives: from the message of the queue to the end."""

import json
from typing import Any

import pytest

from events import admit_media, begin_derivation
from recording_insights.settings import StageSettings
from states import derive_insights
from tests.unit.crashing_table import CrashingTable
from tests.unit.derive.derivation_scene import REPLIES, DerivationScene
from tests.unit.derive.fake_model import NOVA, stand_in
from tests.unit.environment import ENVIRONMENT
from tests.unit.fake_step_functions import FakeStepFunctions
from tests.unit.wired import rewire

MACHINE = "arn:aws:states:eu-central-1:111122223333:stateMachine:derive-insights"


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> DerivationScene:
    made = DerivationScene(CrashingTable(), stand_in())
    environment = {**ENVIRONMENT, "INSIGHTS_MODEL": NOVA, "DERIVATION_ARN": MACHINE, "SLOTS": '{"bedrock": 5}'}
    environment |= {"INSIGHTS_KINDS": '["summary"]', "INSIGHTS_MAX_CENTS": "20.0", "INSIGHTS_PRICE": "[0.06, 0.24]"}
    for name, value in {**environment, "REPLIES_BUCKET": REPLIES}.items():
        monkeypatch.setenv(name, value)
    step_functions: Any = FakeStepFunctions(machine=MACHINE)
    rewire(
        monkeypatch,
        begin_derivation,
        derive_insights,
        table=made.table,
        s3=made.s3,
        model=made.model,
        step_functions=step_functions,
        stage_settings=StageSettings({}, {}, "We sell tables."),
    )
    monkeypatch.setattr(derive_insights, "utc_now", made.clock.now)
    return made


def message(recording_id: str, message_id: str = "1") -> dict[str, Any]:
    """A message of the queue, as the rule of the bus puts it there."""
    detail = {"type": "transcript.ready", "data": {"recording_id": recording_id}}
    return {"messageId": message_id, "body": json.dumps({"detail-type": "transcript.ready", "detail": detail})}


def test_a_message_becomes_insights(scene: DerivationScene) -> None:
    assert begin_derivation.handler({"Records": [message(scene.recording_id)]}, None) == {"batchItemFailures": []}
    [state] = begin_derivation.wiring.step_functions.executions.values()  # type: ignore[attr-defined]
    brief = begin_derivation.wiring.stage_brief
    assert (brief.prompt, brief.price, brief.max_cents, brief.kinds) == (
        "We sell tables.",
        (0.06, 0.24),
        20.0,
        ("summary",),
    )
    assert derive_insights.handler(state, None)["outcome"] == "over"
    assert scene.recording["insights"] == "done"
    assert [sort.split("#")[2] for sort in scene.statements] == ["summary"]


def test_a_message_that_fails_stays_in_the_queue_and_the_others_go(scene: DerivationScene) -> None:
    broken = {"messageId": "2", "body": "{}"}
    records = {"Records": [broken, message("0" * 32, "3"), message(scene.recording_id)]}
    assert begin_derivation.handler(records, None) == {"batchItemFailures": [{"itemIdentifier": "2"}]}


def test_a_stage_with_a_model_wants_insights_of_files_that_are_put_by_hand(
    scene: DerivationScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr("recording_insights.media.intake.admit_media", lambda media, **parts: given.update(parts))
    monkeypatch.setattr("wiring.Wiring.folder_of", lambda wiring, bucket: None)
    media: Any = type("Media", (), {"bucket": "recordings-bucket"})()
    for model, expected in ((NOVA, {}), ("", None)):
        monkeypatch.setenv("INSIGHTS_MODEL", model)
        rewire(monkeypatch, admit_media, table=scene.table, s3=scene.s3)
        admit_media.wiring.admit(media)
        assert given["derivation"] == expected
