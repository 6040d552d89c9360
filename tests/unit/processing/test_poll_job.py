import json
import re
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
import requests

from recording_insights.errors import (
    CredentialsRefused,
    JobNotFound,
    PartsUnavailable,
    ProviderBusy,
    ProviderRejected,
    ProviderUnavailable,
)
from recording_insights.processing.poll_job import CALLS_SECONDS, TIMEOUT_SECONDS
from recording_insights.processing.progress import Progress
from recording_insights.providers.adapters.symbl.calls import Symbl
from recording_insights.providers.port import JobState
from recording_insights.providers.toolkit.http import VendorHttp
from tests.unit.fakes import FakeClock, response
from tests.unit.processing.flow import LINK, RUNNING, SECRET_AWAY, SECRET_FAULT, Flow, R


@dataclass
class SlowSymbl(requests.Session):
    """Symbl with a finished job. Each answer takes some seconds on a clock."""

    clock: FakeClock
    seconds: float
    calls: int = 0

    def request(self, method: str, url: str, **arguments: Any) -> requests.Response:  # type: ignore[override]
        self.calls += 1
        _, longest = arguments["timeout"]
        self.clock.elapsed += min(self.seconds, longest)
        if self.seconds > longest:
            raise requests.ReadTimeout
        return response({"accessToken": "t", "expiresIn": 3600, "status": "completed", "messages": []})


class TestDeadline:
    """Of a finished job Symbl is asked for its state and for twelve parts, after a login."""

    def poll(self, flow: Flow, seconds: float) -> tuple[Progress, SlowSymbl]:
        session = SlowSymbl(flow.clock, seconds)
        secret = {"appId": "a", "appSecret": "s"}
        http = VendorHttp("Symbl", "https://symbl.test", session)
        flow.provider = cast(Any, Symbl(http, lambda fresh: secret, flow.clock.monotonic))
        flow.store.note(R, flow.media.media_id, job={"job_id": "j", "conversation_id": "c"})
        return flow.poll(), session

    def test_a_slow_provider_has_the_time_that_its_calls_need(self, submitted: Flow) -> None:
        progress, session = self.poll(submitted, 9.3)

        assert progress.outcome == "succeeded"
        assert session.calls > 10

    @pytest.mark.parametrize("seconds", [21, 24.9])
    def test_a_provider_that_is_too_slow_is_asked_again(self, submitted: Flow, seconds: float) -> None:
        """Lambda would end the function, and after seven such ends a job that is paid and finished has failed."""
        progress, _ = self.poll(submitted, seconds)

        assert progress.outcome == "running"
        assert submitted.clock.elapsed <= CALLS_SECONDS
        assert submitted.item["status"] == "submitted"
        assert re.search("no time was left|in time", submitted.item["reason"])

    def test_the_function_has_time_left_to_store_the_reply(self) -> None:
        assert TIMEOUT_SECONDS - CALLS_SECONDS >= 30


class TestPoll:
    @pytest.mark.parametrize(
        ("changes", "following"),
        [
            ({}, "submit"),
            ({"status": "done"}, "submit"),
            ({"status": "preparing"}, "prepare"),
            ({"uid": "1001"}, "prepare"),
        ],
    )
    def test_without_a_job_the_row_tells_what_is_next(self, flow: Flow, changes: Any, following: str) -> None:
        flow.store.note(R, flow.media.media_id, **changes)

        assert flow.poll().outcome == following

    @pytest.mark.parametrize("state", [RUNNING, JobState("running", "queued_on_mars")])
    def test_a_job_that_runs_is_asked_again_later(self, submitted: Flow, state: JobState) -> None:
        submitted.provider.polls = [state]
        submitted.clock.elapsed = 100

        progress = submitted.poll(replace(submitted.progress, outcome="running", attempt=4, waited_seconds=90))

        assert (progress.outcome, progress.wait_seconds, progress.attempt) == ("running", 17, 5)
        assert progress.waited_seconds == 107
        assert (submitted.item["last_word"], submitted.item["polls"]) == (state.word, 4)
        assert submitted.item["status"] == "submitted"

    @pytest.mark.parametrize("by", ["clock", "waits"])
    def test_the_ceiling_ends_it_with_the_last_word(self, submitted: Flow, by: str) -> None:
        submitted.provider.polls = [JobState("running", "queued_on_mars")] * 2
        waited = 14_400 if by == "waits" else 0
        submitted.clock.elapsed = 14_400 if by == "clock" else 0
        at_the_ceiling = replace(submitted.progress, outcome="running", waited_seconds=waited)
        assert submitted.poll(at_the_ceiling).outcome == "running"

        submitted.clock.elapsed += by == "clock"
        progress = submitted.poll(replace(at_the_ceiling, waited_seconds=waited + (by == "waits")))

        assert progress.outcome == "failed"
        assert progress.reason == "no result within 240 minutes; last: queued_on_mars"

    def test_no_wait_reaches_beyond_the_ceiling(self, submitted: Flow) -> None:
        submitted.provider.polls = [ProviderBusy("Marsview is busy (HTTP 429)", 3600)]
        submitted.clock.elapsed = 14_000

        assert submitted.poll().wait_seconds == 400

    def test_a_job_through_at_the_ceiling_is_not_thrown_away(self, submitted: Flow) -> None:
        submitted.provider.polls, submitted.provider.replies = [JobState("succeeded", "processed")], [b"{}"]
        submitted.clock.elapsed = 10**6

        assert submitted.poll().outcome == "succeeded"

    @pytest.mark.parametrize(
        ("error", "seconds"),
        [(ProviderBusy("busy"), 14), (ProviderBusy("busy", 700), 700), (ProviderUnavailable("away"), 14)],
    )
    @pytest.mark.parametrize("at", ["poll", "fetch"])
    def test_a_transient_fault_never_fails_a_paid_job(
        self, submitted: Flow, error: Exception, seconds: int, at: str
    ) -> None:
        if at == "poll":
            submitted.provider.polls = [error, RUNNING]
        else:
            submitted.provider.polls = [JobState("succeeded", "processed"), RUNNING]
            submitted.provider.replies = [error]

        progress = submitted.poll()

        assert (progress.outcome, progress.wait_seconds) == ("running", seconds)
        assert submitted.item["reason"] == str(error)
        assert submitted.poll(progress).outcome == "running"
        assert "reason" not in submitted.item, "the fault has passed"

    def test_a_provider_that_does_not_know_the_job_is_believed_the_second_time(self, submitted: Flow) -> None:
        submitted.provider.polls = [JobNotFound("no such job"), ProviderUnavailable("away"), *[JobNotFound("gone")] * 2]
        submitted.clock.elapsed = 100

        first = submitted.poll()
        assert (first.outcome, first.wait_seconds, submitted.item["reason"]) == ("running", 180, "no such job")
        submitted.clock.elapsed += 90
        assert submitted.poll(first).outcome == "running"
        submitted.clock.elapsed += 89
        assert submitted.poll(first).outcome == "running", "a callback has ended the wait early"
        submitted.clock.elapsed += 1
        last = submitted.poll(first)

        assert (last.outcome, last.reason) == ("failed", "gone")

    def test_a_state_of_the_job_takes_back_that_it_was_not_found(self, submitted: Flow) -> None:
        submitted.provider.polls = [JobNotFound("x"), RUNNING, JobNotFound("y"), JobState("succeeded", "processed")]
        submitted.provider.replies = [JobNotFound("z")]
        for _ in range(4):
            assert submitted.poll().outcome == "running"
            submitted.clock.elapsed += 100

    def test_a_reply_that_came_with_the_state_is_not_fetched(self, submitted: Flow) -> None:
        submitted.provider.polls = [JobState("succeeded", "completed", reply=b'{"text": "Hm"}')]

        assert submitted.poll().outcome == "succeeded"
        assert submitted.replies.read(submitted.item["reply"]) == b'{"text": "Hm"}'

    def test_at_the_ceiling_the_available_parts_of_a_reply_are_kept(self, submitted: Flow) -> None:
        submitted.provider.polls = [JobState("succeeded", "completed")] * 2
        submitted.provider.replies = [PartsUnavailable("HTTP 502", b'{"topics": []}')] * 2

        assert submitted.poll().outcome == "running"
        submitted.clock.elapsed = 14_401
        assert submitted.poll().outcome == "succeeded"
        assert submitted.replies.read(submitted.item["reply"]) == b'{"topics": []}'
        assert "reason" not in submitted.item

    @pytest.mark.parametrize("error", [CredentialsRefused("Marsview refused the token"), SECRET_FAULT, SECRET_AWAY])
    def test_credentials_can_be_mended_while_the_job_waits(self, submitted: Flow, error: Exception) -> None:
        submitted.provider.polls = [error, JobState("succeeded", "processed")]
        submitted.provider.replies = [b"{}"]

        progress = submitted.poll()

        assert (progress.outcome, submitted.item["reason"]) == ("running", str(error))
        assert submitted.poll(progress).outcome == "succeeded"
        assert "reason" not in submitted.item, "the fault has passed"

    def test_a_fault_that_stays_is_the_reason_at_the_ceiling(self, submitted: Flow) -> None:
        submitted.provider.polls = [CredentialsRefused("Marsview refused the token")]
        submitted.clock.elapsed = 14_401

        assert submitted.poll().reason == "no result within 240 minutes; last: Marsview refused the token"

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (JobState("failed", "error", "no speech"), "no speech"),
            (JobState("failed", "error"), "error"),
            (ProviderRejected("Marsview: no such transaction"), "Marsview: no such transaction"),
        ],
    )
    def test_the_providers_own_no_ends_it(self, submitted: Flow, answer: Any, reason: str) -> None:
        submitted.provider.polls = [answer]

        progress = submitted.poll()

        assert (progress.outcome, progress.reason) == ("failed", reason)

    def test_the_reply_is_kept_without_links_and_the_row_points_to_it(self, submitted: Flow) -> None:
        submitted.provider.polls = [JobState("succeeded", "error, processed", missing=["emotion: x"])]
        submitted.provider.replies = [json.dumps({"data": {"link": LINK, "text": "ü"}}).encode()]

        progress = submitted.poll()

        assert progress.outcome == "succeeded"
        assert (submitted.item["reply"], submitted.item["missing"]) == (
            f"{R}/{submitted.media.media_id}-0.json",
            ["emotion: x"],
        )
        kept = json.loads(submitted.replies.read(submitted.item["reply"]))
        assert kept == {"data": {"link": "https://bucket/talk.mp4?redacted", "text": "ü"}}

    def test_a_poll_without_a_job_leads_back_to_submit(self, flow: Flow) -> None:
        progress = flow.poll(replace(flow.progress, outcome="running", attempt=3, waited_seconds=70))

        assert (progress.outcome, progress.attempt, progress.waited_seconds) == ("submit", 3, 70), "it is the same wait"
