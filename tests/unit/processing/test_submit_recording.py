import json
from dataclasses import replace
from typing import Any, Literal

import pytest

from recording_insights.aws.reply_bucket import ReplyStore
from recording_insights.errors import (
    CredentialsRefused,
    OutOfCredit,
    ProviderBusy,
    ProviderRejected,
    ProviderUnavailable,
)
from recording_insights.model.media_object import MediaObject
from recording_insights.processing.progress import Progress
from recording_insights.processing.provider_choice import Refusal, why_refused
from recording_insights.processing.renewals import MOST_RENEWALS, MOST_REPEATS
from recording_insights.providers.pacing import SHORTEST_WAIT, Pace
from recording_insights.providers.port import (
    NO_CALLBACK,
    Callback,
    CallbackAddress,
    CallbackRequest,
    Capabilities,
    JobState,
)
from recording_insights.store.media import MediaStore
from recording_insights.store.rows import PreparedFile
from tests.unit.conftest import MakeMedia
from tests.unit.fakes import FakeClock, FakeProvider
from tests.unit.processing.flow import EXPIRED, JOB, SECRET_AWAY, SECRET_FAULT, Flow, R

AWAY = ProviderUnavailable("Marsview answered HTTP 503")


class Posting(FakeProvider):
    """A provider that posts to our webhook."""

    def read_callback(self, request: CallbackRequest) -> Callback | None:
        return None


class TestSubmit:
    def test_a_job_that_is_accepted_is_on_the_row_before_anything_waits(self, flow: Flow) -> None:
        flow.provider.submits = [JOB]

        progress = flow.submit()

        assert (progress.outcome, progress.wait_seconds, progress.attempt) == ("running", 14, 1)
        assert (flow.item["status"], flow.item["job"], flow.item["provider"]) == ("submitted", JOB, "marsview")
        assert (flow.item["expected_seconds"], flow.item["expected_spread"]) == (23, 2)
        (submission,) = flow.provider.submissions
        assert submission.title == R, "a file's name has the channel's name in it"
        assert submission.media == flow.media

    def test_of_a_track_the_prepared_file_is_submitted(
        self, store: MediaStore, replies: ReplyStore, clock: FakeClock, make_media: MakeMedia
    ) -> None:
        playlist = make_media(f"{R}_team__uid_s_1001__uid_e_audio.m3u8", etag="of the playlist", size=300)
        flow = Flow(store, replies, clock, playlist)
        prepared: PreparedFile = {"key": f"prepared/{R}/uid-1001.mp4", "etag": "of the file", "size": 4_000_000}
        store.note(R, playlist.media_id, prepared=prepared)
        flow.provider.submits = [JOB]

        assert flow.submit().outcome == "running"

        (submission,) = flow.provider.submissions
        file = MediaObject("recordings-bucket", prepared["key"], "of the file", 4_000_000, clock.now())
        assert submission.media == file
        assert submission.title == R
        assert flow.provider.links == [f"https://bucket/prepared/{R}/uid-1001.mp4?signed=0"]
        assert b"".join(submission.open_media()) == prepared["key"].encode()
        assert submission.name == f"{R}-{playlist.media_id}-0", "callbacks find the row by the playlist's id"

    def test_a_job_on_the_row_is_not_bought_again(self, submitted: Flow) -> None:
        progress = submitted.submit(replace(submitted.progress, attempt=7, waited_seconds=900))

        assert not submitted.provider.submissions
        assert (progress.outcome, progress.wait_seconds) == ("running", SHORTEST_WAIT)
        assert progress.attempt == 1

    def test_only_a_provider_that_posts_to_us_gets_an_address_for_it(self, flow: Flow) -> None:
        name = f"{R}-{flow.media.media_id}-0"
        addresses = []
        for provider in (FakeProvider(submits=[AWAY]), Posting(submits=[AWAY])):
            flow.provider = provider
            flow.submit()
            flow.clock.elapsed += 60
            addresses.append(provider.submissions[0].callback)

        assert addresses == [NO_CALLBACK, CallbackAddress(f"https://api/webhooks/marsview/{name}", "token")]

    @pytest.mark.parametrize(
        ("title", "shown"),
        [
            ("{recording_id} {file_name}", f"{R} {'x' * 167}"),
            ("Sales: {recording_id}", f"Sales: {R}"),
            ("{other}", "{other}"),
        ],
    )
    def test_the_title_is_an_option_and_has_200_characters_at_most(
        self,
        store: MediaStore,
        replies: ReplyStore,
        clock: FakeClock,
        make_media: MakeMedia,
        title: str,
        shown: str,
    ) -> None:
        flow = Flow(store, replies, clock, make_media(f"calls/{'x' * 300}.mp4"))
        flow.provider.submits = [JOB]

        flow.submit(options={"marsview": {"title": title}})

        assert flow.provider.submissions[0].title == shown

    def test_a_half_made_job_is_kept_and_handed_to_the_next_try(self, flow: Flow) -> None:
        flow.provider.keeps = [JOB]
        flow.provider.submits = [ProviderUnavailable("no answer"), {**JOB, "request_ids": {}}]

        flow.again(flow.submit())

        assert flow.provider.earlier_jobs == [{}, JOB]
        assert flow.item["job"] == {**JOB, "request_ids": {}}

    @pytest.mark.parametrize(
        ("error", "waits"),
        [
            (ProviderBusy("Marsview is busy (HTTP 429)"), [10, 20, 40, 80, 160, 320, 640, 900, 900]),
            (ProviderBusy("Marsview is busy (HTTP 429)", 90), [90, 90, 90, 90, 160]),
            (ProviderBusy("Marsview is busy (HTTP 429)", 86_400), [3600, 3600]),
            (ProviderUnavailable("Marsview answered HTTP 504"), [10, 20]),
            (CredentialsRefused("Marsview refused apiKey"), [10, 20]),
            (OutOfCredit("Marsview wants to be paid"), [10, 20]),
            (SECRET_FAULT, [10, 20]),
            (SECRET_AWAY, [10, 20]),
        ],
    )
    def test_what_time_or_an_operator_mends_is_tried_again_later(
        self, flow: Flow, error: Exception, waits: list[int]
    ) -> None:
        flow.provider.submits = [*([error] * len(waits)), JOB]

        progress, waited = flow.submit(), []
        while progress.outcome == "parked":
            waited.append(progress.wait_seconds)
            assert (flow.item["status"], flow.item["reason"]) == ("waiting", str(error))
            progress = flow.again(progress)

        assert waited == waits
        assert progress.outcome == "running"
        assert not flow.item.keys() & {"reason", "reason_code", "queue_place"}
        assert flow.turns.store.read("marsview").health is None

    @pytest.mark.parametrize("by", ["clock", "waits"])
    def test_the_patience_counts_from_the_first_turn_and_ends_with_the_last_reason(self, flow: Flow, by: str) -> None:
        flow.provider.submits = [ProviderBusy("Marsview is busy (HTTP 429)")] * 3
        flow.clock.elapsed = 86_400
        progress = flow.submit()
        assert progress.outcome == "parked"

        for seconds, outcome in ((72 * 3600 - 1, "parked"), (1, "failed")):
            flow.clock.elapsed += seconds if by == "clock" else 0
            if by == "waits":
                progress = replace(progress, wait_seconds=seconds, timed_out=True)
            progress = flow.submit(progress)
            assert progress.outcome == outcome

        last = "Marsview is busy (HTTP 429)"
        assert progress.reason == f"not accepted within 72 hours of the first turn; last: {last}"
        assert progress.reason_code == "not_accepted"

    def test_no_wait_reaches_beyond_the_patience(self, flow: Flow) -> None:
        flow.provider.submits = [ProviderBusy("busy", 3600)] * 3
        progress = flow.submit()
        flow.clock.elapsed = 72 * 3600 - 600

        assert flow.submit(progress).wait_seconds == 600

    def test_the_queue_has_a_patience_of_its_own(self, flow: Flow, make_media: MakeMedia) -> None:
        """A media object that never had a turn waits for 14 days."""
        flow.turns.store.brake("marsview", paused=True)
        progress = flow.submit()
        assert (progress.wait_seconds, flow.item["reason_code"]) == (14 * 86_400, "provider_paused")

        progress = flow.again(progress)

        assert (progress.outcome, progress.reason_code) == ("failed", "queued_too_long")
        assert progress.reason == (
            "not accepted within 14 days of the arrival; last: an operator has paused the provider"
        )
        assert flow.turns.store.length("marsview") == 0

    def test_the_patience_counts_from_the_admission_however_late_the_event_came(
        self, flow: Flow, make_media: MakeMedia
    ) -> None:
        flow.clock.elapsed = 14 * 86_400
        flow = Flow(flow.store, flow.replies, flow.clock, make_media(etag="late"))
        flow.provider.submits = [ProviderBusy("busy")]

        assert flow.submit().outcome == "parked"

    def test_a_refused_job_ends_it_with_its_reason(self, flow: Flow) -> None:
        flow.provider.submits = [ProviderRejected("Marsview answered HTTP 400")]

        progress = flow.submit()

        assert (progress.outcome, progress.reason) == ("failed", "Marsview answered HTTP 400")

    def test_a_fault_of_ours_is_raised_for_the_workflow_to_retry(self, flow: Flow) -> None:
        flow.provider.submits = [ZeroDivisionError()]

        with pytest.raises(ZeroDivisionError):
            flow.submit()

    @pytest.mark.parametrize("status", ["done", "failed"])
    def test_a_finished_media_object_is_never_submitted_again(
        self, flow: Flow, status: Literal["done", "failed"]
    ) -> None:
        flow.store.finish(R, flow.media.media_id, status)

        progress = flow.submit(flow.poll())

        assert not flow.provider.submissions
        assert progress.outcome == {"done": "over", "failed": "failed"}[status]
        assert progress.reason == f"the media object is already {status}"

    @pytest.mark.parametrize(
        "options", [{"speakers": 3, "models": ["speech_to_text"]}, {"custom_vocabulary": ["Zürich"]}, {}]
    )
    def test_the_recordings_options_go_before_the_stacks_and_are_plain_json(
        self, flow: Flow, options: dict[str, Any]
    ) -> None:
        flow.change_recording(options=options)
        flow.provider.submits = [JOB]

        flow.submit(options={"marsview": {"speakers": 2}})

        sent = flow.provider.submissions[0].options
        assert json.loads(json.dumps(sent)) == {"speakers": 2, **options}

    def test_the_stacks_options_are_those_of_its_own_provider(self, flow: Flow) -> None:
        flow.provider.submits = [JOB]

        flow.submit(options={"deepgram": {"language": "de"}})

        assert flow.provider.submissions[0].options == {}


class TestRenewal:
    def test_an_expired_link_leads_to_a_new_one_in_a_new_job_at_most_twice(self, flow: Flow) -> None:
        flow.provider.submits = [{"transaction_id": f"txn-{n}"} for n in range(9)]
        flow.provider.polls = [EXPIRED] * 9
        progress = flow.progress
        while progress.outcome != "failed":
            progress = flow.submit(progress) if progress.outcome == "submit" else flow.poll(progress)

        assert progress.reason == "Marsview came too late for the link (AIRDOW002), also with 2 new links"
        assert len(set(flow.provider.links)) == len(flow.provider.submissions) == 1 + MOST_RENEWALS
        assert flow.provider.earlier_jobs == [{}] * 3, "a link belongs to its transaction"
        given_up = [(one["provider"], one["job"], one["reason"]) for one in flow.tries]
        assert given_up == [("marsview", {"transaction_id": f"txn-{n}"}, str(EXPIRED)) for n in range(2)]

    def test_each_phase_begins_anew(self, submitted: Flow) -> None:
        submitted.provider.polls = [EXPIRED]

        progress = submitted.poll(replace(submitted.progress, outcome="running", attempt=9, waited_seconds=4000))

        assert (progress.outcome, progress.attempt, progress.waited_seconds) == ("submit", 0, 0)
        assert submitted.item["status"] == "waiting"
        assert "job" not in submitted.item

    def test_a_fault_after_hours_with_the_first_link_is_waited_out(self, submitted: Flow) -> None:
        submitted.provider.polls = [EXPIRED]
        submitted.provider.submits = [ProviderBusy("Marsview is busy (HTTP 429)"), JOB]
        submitted.clock.elapsed = 3 * 3600

        progress = submitted.submit(submitted.poll())

        assert submitted.again(progress).outcome == "running"
        assert submitted.item["status"] == "submitted"

    def test_a_link_that_expires_during_the_submit_leaves_the_kept_job_on_record(self, flow: Flow) -> None:
        flow.provider.keeps = [JOB]
        flow.provider.submits = [EXPIRED]

        progress = flow.submit()

        assert progress.outcome == "submit"
        assert [one["job"] for one in flow.tries] == [JOB]
        assert "job" not in flow.item


class TestFaultOfTheProvider:
    """A job that failed, and whose provider names a fault of its own as the cause."""

    FAULT = JobState("failed", "error", "Marsview failed the job: server error", is_providers_fault=True)

    def test_another_job_is_submitted_once(self, flow: Flow) -> None:
        flow.provider.submits = [JOB, {"transaction_id": "txn-2"}]
        flow.provider.polls = [self.FAULT, JobState("succeeded", "processed")]
        flow.provider.replies = [b"{}"]

        again = flow.poll(replace(flow.submit(), attempt=9, waited_seconds=4000))

        assert (again.outcome, again.attempt, again.waited_seconds) == ("submit", 0, 0)
        assert flow.submit(again).outcome == "running"
        assert flow.poll().outcome == "succeeded"
        [given_up] = flow.tries
        assert (given_up["job"], given_up["reason"]) == (JOB, self.FAULT.reason)
        first, second = flow.provider.submissions
        assert first.name != second.name, "the vendor would find the first job by its name"

    def test_the_second_one_ends_it(self, flow: Flow) -> None:
        flow.provider.submits = [JOB, {"transaction_id": "txn-2"}]
        flow.provider.polls = [self.FAULT] * 2

        progress = flow.poll(flow.submit(flow.poll(flow.submit())))

        assert progress.outcome == "failed"
        assert progress.reason.startswith(f"{self.FAULT.reason}; it failed another job before")
        assert len(flow.provider.submissions) == 1 + MOST_REPEATS

    def test_a_link_that_expires_meanwhile_is_counted_apart(self, submitted: Flow) -> None:
        submitted.provider.polls = [EXPIRED, self.FAULT, EXPIRED, self.FAULT]
        submitted.provider.submits = [{"transaction_id": f"txn-{n}"} for n in range(9)]
        for _ in range(3):
            submitted.submit(submitted.poll())

        assert submitted.poll().outcome == "failed"
        assert (submitted.item["renewals"], submitted.item["repeats"]) == (2, 1)

    def test_a_poll_that_is_repeated_after_a_crash_submits_no_third_job(self, submitted: Flow) -> None:
        submitted.provider.polls = [self.FAULT]
        submitted.poll()

        assert submitted.poll().outcome == "submit"
        assert len(submitted.tries) == 1


@pytest.mark.parametrize(
    ("limits", "key", "duration_ms", "refusal"),
    [
        ({}, "a.mp4", None, None),
        ({}, "a.MP4", 10**10, None),
        ({"max_bytes": 1000}, "a.mp4", None, None),
        ({"max_bytes": 999}, "a.mp4", None, "its size is 1000 bytes, over the limit of 999"),
        ({"max_minutes": 90}, "a.mp4", None, None),
        ({"max_minutes": 90}, "a.mp4", 90 * 60_000, None),
        ({"max_minutes": 90}, "a.mp4", 120 * 60_000, "its length is 120 minutes, over the limit of 90"),
    ],
)
def test_what_a_provider_cannot_take_is_refused_with_its_limit(
    make_media: MakeMedia, limits: dict[str, Any], key: str, duration_ms: Any, refusal: str | None
) -> None:
    capabilities = replace(Capabilities("url", Pace(5, 0.3)), **limits)

    found = why_refused(capabilities, make_media(key), duration_ms)

    assert found == (Refusal("too_large", refusal) if refusal else None)


def test_a_refused_media_object_never_reaches_the_provider(flow: Flow) -> None:
    flow.formats["marsview"] = {"wav", "aac"}
    flow.store.note(R, flow.media.media_id, unprepared="it has no sound")

    progress = flow.submit()

    assert progress.outcome == "failed"
    assert progress.reason == (
        "marsview cannot take this media object: its format is mp4, not one of aac, wav, and it cannot be converted: "
        "it has no sound"
    )
    assert not flow.provider.submissions


def test_the_length_on_the_row_is_the_one_that_counts(flow: Flow) -> None:
    flow.provider.capabilities = replace(flow.provider.capabilities, max_minutes=90)
    flow.store.note(R, flow.media.media_id, duration_ms=91 * 60_000)

    reason = "marsview cannot take this media object: its length is 91 minutes, over the limit of 90"
    assert flow.submit().reason == reason


def test_progress_is_the_same_after_a_state(flow: Flow) -> None:
    progress = replace(flow.progress, outcome="failed", reason="x", attempt=3).wait(7)

    assert Progress.from_state(json.loads(json.dumps({**progress.to_state(), "unknown": 1}))) == progress
    assert Progress.from_state({"recording_id": R, "media_id": flow.media.media_id, "key": "talk.mp4"}) == flow.progress
