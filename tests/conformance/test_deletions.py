"""What a provider has of a job is deleted, if its vendor has a call for that."""

import pytest

from recording_insights.errors import JobNotFound, ProviderError, ProviderUnavailable
from recording_insights.providers.port import Erases, Job, Provider
from recording_insights.providers.registry import PROVIDERS, capabilities_of, erases
from tests.conformance.scene import Scene
from tests.ways_of_waiting import each_provider

ERASE = each_provider([name for name in PROVIDERS if erases(name)])


CALLS = {
    "assemblyai": "assemblyai.delete_transcript",
    "marsview": "marsview.delete_file",
    "seameet": "seameet.delete_meeting",
    "symbl": "symbl.delete_conversation",
    "transcribe": "transcribe.delete_transcription_job",
}
"""What the stand-ins call the deletion."""


def is_gone(provider: Provider, job: Job) -> bool:
    """Whether neither a poll nor a fetch finds anything of a job."""
    try:
        return provider.poll(job, None).phase == "failed" or not _fetched(provider, job)
    except JobNotFound:
        return True


def _fetched(provider: Provider, job: Job) -> bytes | None:
    try:
        return provider.fetch(job, None)
    except ProviderError:
        return None


def test_who_deletes_and_who_does_not() -> None:
    assert {name for name in PROVIDERS if not erases(name)} == {"deepgram", "ringcentral"}
    assert [name for name in PROVIDERS if capabilities_of(name).keeps_nothing] == ["deepgram"]


@pytest.mark.parametrize("provider", ERASE)
def test_a_job_that_has_ended_is_deleted_and_repeating_it_changes_nothing(scene: Scene) -> None:
    scene.run()
    provider, job = scene.provider, scene.row["job"]
    assert isinstance(provider, Erases)
    assert provider.delete(job)
    assert is_gone(provider, job)
    assert provider.delete(job)


@pytest.mark.parametrize("provider", ERASE)
def test_a_vendor_that_is_away_is_a_fault_that_passes(scene: Scene) -> None:
    scene.run()
    provider = scene.provider
    assert isinstance(provider, Erases)
    scene.dials(fail_next=[{"call": CALLS[scene.name], "status": 503}])
    with pytest.raises(ProviderUnavailable):
        provider.delete(scene.row["job"])
    assert provider.delete(scene.row["job"])


@pytest.mark.parametrize("provider", ERASE)
def test_a_job_without_an_id_cannot_be_deleted(scene: Scene) -> None:
    provider = scene.provider
    assert isinstance(provider, Erases)
    assert not provider.delete({})
