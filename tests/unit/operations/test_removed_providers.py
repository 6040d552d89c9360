"""A step of `make deploy`: a provider that is still needed is not taken away."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.settings import StackSettings
from operations.deployed_stack import OperationFailed
from operations.removed_providers import Outcome, check_removed_providers
from recording_insights.store.keys import recording_key
from recording_insights.store.media import MediaStore
from tests.unit.conftest import MakeMedia
from tests.unit.operations.fake_account import Account, aws_error

OUTPUTS = {"InsightsTableName": "insights", "Providers": "symbl,deepgram,marsview"}
Check = Callable[..., Outcome]


@pytest.fixture
def account() -> Account:
    return Account(outputs=dict(OUTPUTS))


@pytest.fixture
def check(account: Account, media_store: MediaStore) -> Check:
    """Checks a deployment with these providers."""

    def call(*providers: str, table: Any = lambda name: media_store.table) -> Outcome:
        settings = StackSettings("dev", providers[0], providers[1:])
        return check_removed_providers(settings, account, table, lambda line: None)

    return call


@pytest.fixture
def admit(media_store: MediaStore, make_media: MakeMedia) -> Callable[..., str]:
    """Admits a media object of a recording of its own for a provider, and returns the id of both."""

    def call(name: str, provider: str, *, submitted: bool = False) -> str:
        media = make_media(f"{name}.mp4", etag=name)
        media_store.admit(name, media, providers=[provider])
        if submitted:
            media_store.submitted(name, media.media_id, job={"id": name})
        return media.media_id

    return call


def record(store: MediaStore, recording_id: str, provider: str, **attributes: Any) -> None:
    """Write a recording that the API has started."""
    row: Any = {"recording_id": recording_id, "provider": provider, "prefix": "p/", "version": 1, "status": "recording"}
    created = {"created_at": f"2026-11-28T00:00:00.{recording_id}"}
    store.table.put_item(Item={**recording_key(recording_id), **row, **created, **attributes})


def test_what_waits_and_what_has_jobs_there_is_counted(
    check: Check, admit: Callable[..., str], media_store: MediaStore
) -> None:
    for number in range(3):
        admit(f"waits-{number}", "symbl")
    admit("runs", "symbl", submitted=True)
    admit("of another", "deepgram", submitted=True)
    media_store.finish("done", admit("done", "symbl"), "done")
    record(media_store, "000001", "symbl")
    record(media_store, "000002", "symbl", status="processing")
    record(media_store, "000003", "symbl", status="processing", complete_at="2026-11-28T01:00:00+00:00")
    record(media_store, "000004", "marsview", status="stopping")

    with pytest.raises(OperationFailed) as refused:
        check("deepgram")

    assert str(refused.value).splitlines()[1:3] == [
        "marsview: media objects that wait: 0, that have jobs there: 0; recordings that are not complete: 1",
        "symbl: media objects that wait: 3, that have jobs there: 1; recordings that are not complete: 2",
    ]
    assert "Keep marsview,symbl in otherProviders" in str(refused.value)
    assert "FORCE=1" in str(refused.value)
    with pytest.raises(OperationFailed, match="symbl: media objects that wait: 3"):
        check("deepgram", "marsview")


def test_a_provider_that_nothing_needs_goes(check: Check, admit: Callable[..., str], media_store: MediaStore) -> None:
    media_store.finish("done", admit("done", "symbl"), "failed")
    admit("waits", "deepgram")

    assert check("deepgram", "marsview") == Outcome("dev", ["symbl"])


def test_a_deployment_that_removes_none_costs_one_call(account: Account, check: Check) -> None:
    def refused(name: str) -> Any:
        raise AssertionError("the table is not read")

    assert check("transcribe", "symbl", "deepgram", "marsview", table=refused) == Outcome("dev")
    account.stacks = ()
    assert check("transcribe", table=refused) == Outcome("dev"), "it is the first deployment"
    assert account.calls == ["describe_stacks", "describe_stacks"]


def test_a_stage_of_an_earlier_version_does_not_name_its_providers(
    account: Account, check: Check, admit: Callable[..., str]
) -> None:
    del account.outputs["Providers"]
    admit("waits", "symbl")

    with pytest.raises(OperationFailed, match="symbl: media objects that wait: 1"):
        check("deepgram")
    assert "symbl" not in check("symbl").removed


def test_who_may_not_read_the_table_learns_which_rights_are_needed(check: Check) -> None:
    def denied(name: str) -> Any:
        raise aws_error("AccessDeniedException", "Query")

    with pytest.raises(OperationFailed, match="dynamodb:Query on the table"):
        check("deepgram", table=denied)
