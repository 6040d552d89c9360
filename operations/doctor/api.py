"""The API and the webhooks of a stage, and what the API says of the intake, the providers and the subscriptions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, unknown, wrong
from operations.doctor.patient import Answer, Patient, recordings
from recording_insights.store.intake import IntakeStore

PROVIDERS_PATH, SUBSCRIPTIONS_PATH = "/providers", "/subscriptions"
WEBHOOK_PATH = "/webhooks/agora"
"""Each stage has this webhook. Without a signature it answers 401, or 404 if it has no secret."""
PROBLEM = "application/problem+json"


@check("api", "execute-api:Invoke")
def api(patient: Patient) -> Iterator[Symptom]:
    """The API answers a call of the operator."""
    try:
        answer = patient.read(PROVIDERS_PATH)
    except OSError as error:
        yield wrong(
            f"The API does not answer ({type(error).__name__}).",
            "Look at the network, and at the domain in front of the API if there is one.",
        )
        return
    yield _refusal(answer, PROVIDERS_PATH) or ok("The API accepts a call with your credentials.")


def _refusal(answer: Answer, path: str) -> Symptom | None:
    """Return what an answer without what was asked for means; None for the answer 200."""
    if answer.status_code == 200:
        return None
    if answer.status_code == 403:
        right = f"Let somebody give you the right execute-api:Invoke on GET{path}."
        return unknown(f"You may not call GET {path}.", right)
    if answer.status_code == 401:
        return unknown(
            f"The API wants a token for GET {path}.", "Get a token from the issuer of the setting jwtIssuer."
        )
    if answer.status_code == 429:
        return unknown("The API gets more calls than its throttle allows.", "Examine again in a minute.")
    return wrong(f"The API answered {answer.status_code} to GET {path}.", "Follow docs/operate.md#the-api-answers-5xx.")


@check("webhooks")
def webhooks(patient: Patient) -> Iterator[Symptom]:
    """The address for vendors leads to this stage. A call that cannot be authentic gets the stage's own refusal."""
    url = patient.outputs["WebhookUrl"].rstrip("/") + WEBHOOK_PATH
    mend = f"Have the domain or the proxy pass POST requests below /webhooks/ to {patient.outputs['ApiUrl']} unchanged."
    try:
        answer = patient.http("POST", url)
    except OSError as error:
        yield wrong(f"The address for webhooks, {url}, does not answer ({type(error).__name__}).", mend)
        return
    if answer.status_code in (401, 404) and answer.headers.get("content-type", "").startswith(PROBLEM):
        yield ok("The address for webhooks leads to the stage.")
    elif answer.status_code >= 500:
        yield wrong(f"{url} answers {answer.status_code}.", "Follow docs/operate.md#the-api-answers-5xx.")
    else:
        yield wrong(f"{url} does not lead to the stage: something else answers {answer.status_code}.", mend)


@check("intake", "dynamodb:GetItem", "kms:Decrypt")
def intake(patient: Patient) -> Iterator[Symptom]:
    """Nobody has paused the intake."""
    if pause := IntakeStore(patient.table()).find_pause():
        yield wrong(
            f"The intake is paused since {pause['paused_at']} by {pause['paused_by']}.",
            recordings(patient, "intake", "resume"),
        )
    else:
        yield ok("The intake is open.")


@check("providers", "execute-api:Invoke")
def providers(patient: Patient) -> Iterator[Symptom]:
    """Each provider takes jobs, and nobody has paused it."""
    answer = patient.read(PROVIDERS_PATH)
    if refused := _refusal(answer, PROVIDERS_PATH):
        yield unknown(f"What the providers do is unknown. {refused.what}", refused.mend)
        return
    faults = [symptom for row in answer.json()["providers"] for symptom in _of_provider(patient, row)]
    yield from faults
    if not faults:
        yield ok("Each provider takes jobs.")


def _of_provider(patient: Patient, row: Mapping[str, Any]) -> Iterator[Symptom]:
    name = row["provider"]
    if row["paused"]:
        yield wrong(
            f"{name} is paused, and {row['queued']} media objects wait for it.",
            recordings(patient, "providers", "resume", name),
        )
    if row["health"] == "open":
        section = "credentials-refused-or-no-credit" if row.get("reason_code") in _OF_ACCOUNT else "a-provider-is-away"
        yield wrong(
            f"{name} takes no jobs since {row.get('since')}: {row.get('reason')}", f"Follow docs/operate.md#{section}."
        )


_OF_ACCOUNT = ("credentials_refused", "secret_unusable", "out_of_credit")


@check("subscriptions", "execute-api:Invoke")
def subscriptions(patient: Patient) -> Iterator[Symptom]:
    """No subscription was switched off."""
    answer = patient.read(SUBSCRIPTIONS_PATH)
    if refused := _refusal(answer, SUBSCRIPTIONS_PATH):
        yield unknown(f"What the subscriptions do is unknown. {refused.what}", refused.mend)
        return
    rows: Sequence[Mapping[str, Any]] = answer.json()["subscriptions"]
    off = [row for row in rows if not row["active"]]
    for row in off:
        why = f" because {row['disabled_because']}" if row.get("disabled_because") else ""
        yield wrong(
            f"The subscription {row['subscription_id']} is switched off{why}.",
            "Follow docs/webhooks.md#when-a-subscription-is-switched-off.",
        )
    if not off:
        yield ok(f"None of {len(rows)} subscriptions is switched off.")
