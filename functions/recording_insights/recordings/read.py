"""Read one recording with its media objects and the live state of its recorder."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recording_insights.deadline import Deadline
from recording_insights.errors import AgoraError, SecretUnavailable, SecretUnusable
from recording_insights.model.cost import MediaCost, cost_of_recording
from recording_insights.model.parts import place
from recording_insights.model.reasons import is_retryable
from recording_insights.model.status import counts_of
from recording_insights.model.tries import earlier_jobs, number_of_try
from recording_insights.providers.registry import job_id_of
from recording_insights.recordings.derivation import state_of
from recording_insights.recordings.recorder import is_named
from recording_insights.store.recordings import RecordingStore
from recording_insights.store.rows import MediaRow, RecorderStateRow, RecordingRow, TryRow
from recording_insights.validation import Reader, flag, from_text, object_of

if TYPE_CHECKING:
    from recording_insights.agora.client import AgoraClient

_LIVE = ("starting", "recording", "stopping")
"""The statuses in which the recorder's live state is shown."""
INTERNAL = {
    *("pk", "sk", "resource_id", "fingerprint", "media", "insight_counts", "counted_fail_overs", "changing_until"),
    *("change_shard", "change_place", "erase_runs", "media_runs", "segments_runs"),
    *("derivation", "derivations", "start_failed_at"),
}
INTERNAL_OF_MEDIA = {
    "pk",
    "sk",
    "recording_id",
    "job",
    "callback_job",
    "task_token",
    "delivery",
    "unconfirmed",
    "asking",
    "being_made",
    "went_on",
    "checksum",
    "copied_etag",
    "job_number",
    "expected_spread",
    "slot",
    "queue_place",
    "tried",
    "transitions",
    "calls",
    "transitions_before",
    "calls_before",
    "other_calls",
    "outline",
    "words",
}
INTERNAL_OF_TRY = {
    *("pk", "sk", "recording_id", "media_id", "job", "job_number", "callback_job", "delivery", "outline", "words"),
}


def describe_recording(
    recording_id: str,
    query: Mapping[str, str],
    *,
    store: RecordingStore,
    agora: "Callable[[], AgoraClient]",
    deadline: Deadline,
    queue_of: Callable[[MediaRow], Mapping[str, Any]] = lambda row: {},
) -> dict[str, Any]:
    """Return a recording, its media objects and, until its files have arrived, what Agora last said of the recorder.

    `cost`, of the recording and of each media object, is what they cost at list prices: see `model.cost`.

    `live` is what the watch last learned: `status`, `meaning`, `files`, `as_of`, and `onhold` of a web page. It is
    absent before the first query. `query` may hold `fresh`: "true" has Agora asked, unless somebody asked it within the
    last two minutes. If Agora cannot be reached then, `live` also has `unavailable`, the reason. `agora` makes the
    client, which a call without `fresh` does not need. `queue_of` returns what to add to a media object that waits for
    its turn at a provider.

    Raises:
        NotFound: there is no such recording.
        RecordingErased: it was erased. One that is being erased is returned.
        InvalidRequest: names the parameter that is unknown or wrong.
    """
    fresh = object_of(READ_PARAMETERS)("", query).get("fresh", False)
    recording, media, recorder = store.get_whole(recording_id)
    tries = store.tries.of(recording_id) if any(map(number_of_try, media)) else ()
    media = sorted(media, key=place)
    earlier = [[each for each in tries if each["media_id"] == item["media_id"]] for item in media]
    costs = [MediaCost.of(item, ended) for item, ended in zip(media, earlier, strict=True)]
    shown = [
        {**_public_media(item, ended), **queue_of(item), "cost": cost.public()}
        for item, ended, cost in zip(media, earlier, costs, strict=True)
    ]
    derived = store.find_derived(recording_id) if "insights" in recording else None
    answer: dict[str, Any] = {"media": shown, "cost": cost_of_recording(costs, derived)}
    if recording["status"] in _LIVE:
        known = _live(recorder) if recorder and recorder.get("opened_at") == recording["created_at"] else {}
        if fresh and is_named(recording) and store.recorder_states.may_ask(recording_id):
            recording, learned = _ask(recording, store=store, agora=agora(), deadline=deadline)
            known = {**known, **learned}
        if known:
            answer["live"] = known
    return {**public(recording), **retryable(recording, counts_of(media)), **answer}


def _ask(
    recording: RecordingRow, *, store: RecordingStore, agora: "AgoraClient", deadline: Deadline
) -> tuple[RecordingRow, dict[str, Any]]:
    """Ask Agora about a recorder, and keep the answer; a recorder that records ends the status `starting`."""
    try:
        state = agora.query(recording, deadline)
    except (AgoraError, SecretUnavailable, SecretUnusable) as error:
        return recording, {"unavailable": str(error)}
    as_of = store.recorder_states.keep(recording, state.to_row())
    if state.records:
        changed = store.update(recording["recording_id"], {"status": "recording"}, only_in=("starting",))
        recording = changed or recording
    return recording, {**state.to_row(), "as_of": as_of}


def public(recording: RecordingRow) -> dict[str, Any]:
    """Return a recording's row without its internal attributes, and the state of its `insights`."""
    shown = {name: value for name, value in recording.items() if name not in INTERNAL}
    return {**shown, "insights": state_of(recording)}


def _live(recorder: RecorderStateRow) -> dict[str, Any]:
    return {**recorder["state"], "as_of": recorder["as_of"]}


def _public_media(item: MediaRow, tries: Sequence[TryRow]) -> dict[str, Any]:
    """Return a media object's row without internal attributes, with its earlier `tries` in order.

    `given_up` names those that another one replaced in the same execution, each with its reason. `job_id` is the
    vendor's own id of the job. `retryable` is there if the media object failed.
    """
    shown = {name: value for name, value in item.items() if name not in INTERNAL_OF_MEDIA}
    if copies := item.get("copies"):
        shown["copies"] = sorted(copies)
    if item.get("status") == "failed":
        shown["retryable"] = is_retryable(item.get("reason_code"))
    shown |= _job_id(item)
    earlier = [*earlier_jobs(item), *tries]
    if earlier:
        shown["tries"] = [_public_try(each) for each in earlier]
    given_up = [each for each in earlier if each["status"] == "given up"]
    if given_up:
        shown["given_up"] = [
            {"provider": each["provider"], "reason": each.get("reason"), "at": each["ended_at"]} for each in given_up
        ]
    return shown


def _public_try(item: TryRow) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in INTERNAL_OF_TRY} | _job_id(item)


def _job_id(item: MediaRow | TryRow) -> dict[str, str]:
    found = job_id_of(item.get("provider", ""), item.get("job"))
    return {} if found is None else {"job_id": found}


def retryable(recording: RecordingRow, counts: Mapping[str, int]) -> dict[str, bool]:
    """Return whether a retry of a recording that failed, or of which a media object failed, may help."""
    if recording["status"] != "failed" and not counts.get("failed"):
        return {}
    return {"retryable": bool(counts) and is_retryable(recording.get("reason_code"))}


def _truth_of(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


READ_PARAMETERS: Mapping[str, Reader[Any]] = {"fresh": from_text(_truth_of, flag)}
"""The query parameters of one recording."""
