"""One attempt at a call, and the decision whether to repeat the call."""

from dataclasses import replace
from typing import Any

import pytest

from recording_insights.agora.answers import NO_ANSWER, Rule, Verdict
from recording_insights.agora.calls import LONGEST_REASON, NO_TIME, AgoraCalls, Attempt, Repeats
from recording_insights.agora.hosts import HostRotation
from tests.unit.agora.fake_agora import HOST, SECRET, Answer
from tests.unit.fakes import FakeClock

REPEAT = Rule(Verdict.REPEAT, "again", waits=(3.0, 6.0), then=Verdict.GONE)
DONE = Rule(Verdict.DONE)
REJECTED = Rule(Verdict.REJECTED, "no")
BAD_CREDENTIALS = Rule(Verdict.BAD_CREDENTIALS, "wrong")
TOKEN_REFUSED: dict[str, Any] = {"code": 110}
CERTIFIED = {**SECRET, "appCertificate": "0ne"}


def attempt(rule: Rule = DONE, reply: Any = None, *, sent: Any = None, credentials: Any = CERTIFIED) -> Attempt:
    return Attempt(credentials, sent, rule, reply or {})


@pytest.mark.parametrize(
    ("tried", "refused"),
    [
        (attempt(BAD_CREDENTIALS), True),
        (attempt(REJECTED, TOKEN_REFUSED), True),
        (attempt(REJECTED, {"code": 109}), True),
        (attempt(REJECTED, {"code": 2}), False),
        (attempt(), False),
        (attempt(NO_ANSWER), False),
    ],
)
def test_an_attempt_knows_whether_agora_refused_the_secret(tried: Attempt, refused: bool) -> None:
    assert tried.refused_secret is refused


@pytest.mark.parametrize(
    ("tried", "fresh", "worth"),
    [
        (attempt(BAD_CREDENTIALS), CERTIFIED, True),
        (attempt(REJECTED, TOKEN_REFUSED), CERTIFIED, False),
        (attempt(REJECTED, TOKEN_REFUSED), {**CERTIFIED, "appCertificate": "two"}, True),
        (attempt(REJECTED, TOKEN_REFUSED), SECRET, True),
    ],
)
def test_a_refused_token_needs_another_certificate(tried: Attempt, fresh: Any, worth: bool) -> None:
    assert tried.worth_repeating_with(fresh) is worth


def test_a_reason_hides_the_secrets_of_its_attempt_and_is_short() -> None:
    sent = {"clientRequest": {"token": "t0k3n", "storageConfig": {"secretKey": "k3y"}, "url": "https://a/?x=l1nk"}}
    reply = {"reason": "bad  t0k3n k3y s3cr3t-customer 0ne x=l1nk of app0 " + "x" * LONGEST_REASON}
    reason = attempt(REJECTED, reply, sent=sent).reason
    assert reason.startswith("no: bad *** *** *** *** *** of app0 xxx")
    assert len(reason) == LONGEST_REASON


def test_a_secret_hides_no_word_of_ours() -> None:
    wrong = replace(BAD_CREDENTIALS, meaning="the customer id 'c-1' is wrong")
    refused = replace(attempt(wrong, {"reason": "no c-1"}), credentials={**CERTIFIED, "customerId": "c-1"})
    assert refused.reason == "the customer id 'c-1' is wrong: no ***"


def test_fresh_credentials_are_read_once() -> None:
    repeats = Repeats(patient=False)
    assert not repeats.needs_fresh_credentials(attempt(REJECTED))
    assert repeats.needs_fresh_credentials(attempt(BAD_CREDENTIALS))
    assert not repeats.needs_fresh_credentials(attempt(BAD_CREDENTIALS))
    assert not repeats.needs_fresh_credentials(attempt(REJECTED, TOKEN_REFUSED))


def test_a_call_ends_when_its_waits_are_used() -> None:
    repeats = Repeats(patient=True)
    assert [repeats.next_wait(REPEAT, None) for _ in range(4)] == [3.0, 6.0, None, None]


@pytest.mark.parametrize("rule", [DONE, REJECTED, BAD_CREDENTIALS, NO_TIME])
def test_only_some_answers_are_repeated(rule: Rule) -> None:
    assert Repeats(patient=True).next_wait(rule, (1.0,)) is None


def test_an_impatient_call_is_not_repeated() -> None:
    assert Repeats(patient=False).next_wait(REPEAT, (1.0,)) is None


def test_another_host_has_waits_of_its_own() -> None:
    repeats = Repeats(patient=True)
    assert repeats.next_wait(NO_ANSWER, (1.0, 2.0, 4.0)) == 1.0
    assert repeats.next_wait(REPEAT, (1.0, 2.0, 4.0)) == 6.0
    assert repeats.next_wait(NO_ANSWER, (1.0, 2.0, 4.0)) == 4.0
    assert Repeats(patient=True).next_wait(NO_ANSWER, None) == NO_ANSWER.waits[0]


@pytest.mark.parametrize(("rules", "unsure"), [([DONE], False), ([NO_ANSWER], True), ([NO_ANSWER, DONE], True)])
def test_one_unsure_attempt_leaves_the_call_unsure(rules: list[Rule], unsure: bool) -> None:
    repeats = Repeats(patient=True)
    for rule in rules:
        repeats.next_wait(rule, None)
    assert repeats.unsure is unsure


def test_a_repeat_that_ends_has_its_own_verdict() -> None:
    assert REPEAT.final_verdict is Verdict.GONE
    assert DONE.final_verdict is Verdict.DONE


def test_every_attempt_builds_its_body_with_its_credentials(vendor: Any, clock: FakeClock) -> None:
    stored = [{**SECRET, "note": "old"}, {**SECRET, "note": "new"}]
    vendor.script["acquire"] = [Answer(401, {}), Answer(429, {})]
    calls = AgoraCalls(lambda fresh: stored[fresh], HostRotation([HOST]), vendor, jitter=lambda: 1.0)

    def build_body(credentials: Any) -> dict[str, Any]:
        request = {"scene": 0, "resourceExpiredHour": 1}
        notes.append(credentials["note"])
        return {"cname": "team", "uid": "7", "clientRequest": request}

    notes: list[str] = []
    answer = calls("acquire", "/acquire", build_body, clock.deadline())
    assert (answer.verdict, answer.unsure) == (Verdict.DONE, False)
    assert notes == ["old", "new", "new"]
    assert clock.naps == [3.75]


def test_a_call_without_time_leaves_the_hosts_alone(vendor: Any, clock: FakeClock) -> None:
    hosts = HostRotation(["https://a", "https://b"])
    hosts.did_not_answer()
    hosts.did_not_answer()
    calls = replace(AgoraCalls(lambda fresh: SECRET, hosts, vendor), jitter=lambda: 0.0)
    with pytest.raises(Exception, match="no time was left"):
        calls("query", "/x", None, clock.deadline(0.5))
    assert hosts.host == "https://b"
