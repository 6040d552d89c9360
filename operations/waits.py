"""What a recording or a media object waits for, by its status, stage and reason code: what ends it, and what helps.

The meaning of a code and the advice are those of `recording_insights.model.reasons`. This is the operator's part.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Limit = Literal["giveUpHours", "queueDays", "pollCeilingMinutes", "lateFilesMinutes"]
"""The setting that bounds a wait."""


class Wait(NamedTuple):
    """What something waits for and what ends that, as sentences. `limit` ends it at the latest.

    `command` is the one command that helps, with the fields `{id}`, `{provider}` and `{stage}`. Empty: none does.
    """

    waits_for: str
    ends: str
    command: str = ""
    limit: Limit | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing is waited for."""
        return self.waits_for == _NOTHING


_NOTHING = "It waits for nothing."
_RETRY, _FORCE = "recordings retry {id}", "recordings retry {id} --force"
_ELSEWHERE = "recordings retry {id} --to-provider NAME"
_SHOW, _WATCH, _LOG = "recordings show {id}", "recordings watch {id}", "recordings logs {id} --level error"
_PROVIDERS, _SLOTS = "recordings providers list", "recordings providers slots {provider} N"
_PUT_KEY = (
    "aws secretsmanager put-secret-value --secret-id recording-insights/{stage}/{provider}"
    " --secret-string file://{provider}.json"
)
_DEPLOY, _NEW = "make deploy STAGE={stage}", "recordings start CHANNEL"
_BY_A_RETRY = "A retry ends it."
_TRIED_AGAIN = "It is tried again every 15 minutes at the longest."

BY_CODE: Mapping[str, Wait] = {
    "awaiting_files": Wait("It waits for files of the track.", "Each file that arrives.", _WATCH, "lateFilesMinutes"),
    "awaiting_conversion": Wait("It waits for another format of the file.", "The end of the conversion.", _WATCH),
    "files_incomplete": Wait(_NOTHING, "The files, and a retry.", _RETRY),
    "nothing_recorded": Wait(_NOTHING, "Nothing: there is no sound.", _SHOW),
    "no_sound": Wait(_NOTHING, "A retry, if the files have sound after all.", _FORCE),
    "not_media": Wait(_NOTHING, "The right file under the same key.", _SHOW),
    "media_gone": Wait(_NOTHING, "The file, and a retry.", _RETRY),
    "format_not_taken": Wait(_NOTHING, "A retry at another provider.", _ELSEWHERE),
    "too_large": Wait(_NOTHING, "A retry at another provider.", _ELSEWHERE),
    "language_not_taken": Wait(_NOTHING, "A retry at another provider, or with another language.", _ELSEWHERE),
    "redaction_not_taken": Wait(_NOTHING, "A retry at another provider, or with other options.", _ELSEWHERE),
    "outside_residency": Wait(_NOTHING, "A retry at another provider.", _ELSEWHERE),
    "provider_not_configured": Wait(
        "It waits for a deployment with the provider.", _TRIED_AGAIN, _DEPLOY, "giveUpHours"
    ),
    "secret_unusable": Wait("It waits for a secret that is right.", _TRIED_AGAIN, _PUT_KEY, "giveUpHours"),
    "secret_unavailable": Wait("It waits for AWS to return the secret.", _TRIED_AGAIN, _LOG, "giveUpHours"),
    "credentials_refused": Wait("It waits for a key that the provider accepts.", _TRIED_AGAIN, _PUT_KEY, "giveUpHours"),
    "out_of_credit": Wait("It waits for credit at the provider.", _TRIED_AGAIN, _PROVIDERS, "giveUpHours"),
    "queued": Wait("It waits for a slot of the provider.", "The end of a job in front of it.", _SLOTS, "queueDays"),
    "over_recording_cap": Wait("It waits for a higher cap.", "A deployment that raises it.", _DEPLOY, "queueDays"),
    "over_daily_cap": Wait("It waits for the next day.", "Midnight UTC, or a higher cap.", _DEPLOY, "queueDays"),
    "provider_paused": Wait(
        "It waits for an operator.", "The end of the pause.", "recordings providers resume {provider}", "queueDays"
    ),
    "queued_too_long": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "provider_busy": Wait("It waits for the provider.", _TRIED_AGAIN, _PROVIDERS, "giveUpHours"),
    "provider_unavailable": Wait("It waits for the provider.", _TRIED_AGAIN, _PROVIDERS, "giveUpHours"),
    "submission_unconfirmed": Wait(
        "It waits for the callback of a job that the provider may have.", "The callback.", _WATCH, "pollCeilingMinutes"
    ),
    "not_accepted": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "provider_rejected": Wait(_NOTHING, "A retry with force, or at another provider.", _FORCE),
    "link_expired": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "job_failed": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "provider_fault": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "job_unknown": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "no_result": Wait(_NOTHING, "A retry, or the sweep a day later.", _RETRY),
    "result_not_delivered": Wait(_NOTHING, "The callback, however late, or a retry.", _RETRY),
    "reply_too_large": Wait(_NOTHING, "A retry at another provider.", _ELSEWHERE),
    "reply_unreadable": Wait(_NOTHING, "A version that reads the reply, and a retry.", _RETRY),
    "reply_gone": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "item_too_large": Wait(_NOTHING, "A retry at another provider.", _ELSEWHERE),
    "aws_unavailable": Wait("It waits for AWS.", _TRIED_AGAIN, _LOG, "giveUpHours"),
    "aws_denied": Wait("It waits for a right of a function.", _TRIED_AGAIN, _DEPLOY, "giveUpHours"),
    "function_stopped": Wait("It waits until the function ends in time.", _TRIED_AGAIN, _LOG, "giveUpHours"),
    "cancelled": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "execution_aborted": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "execution_timed_out": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "execution_failed": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "executions_used_up": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "row_malformed": Wait(_NOTHING, "A row that is right, and a retry.", _RETRY),
    "internal_error": Wait("It waits for a version without the fault.", _TRIED_AGAIN, _LOG, "giveUpHours"),
    "start_failed": Wait(_NOTHING, "A new recording.", _NEW),
    "start_unconfirmed": Wait("It waits for a recorder that may run.", "Its first file, or max_hours.", _SHOW),
    "start_interrupted": Wait(_NOTHING, "A new recording.", _NEW),
    "recorder_not_started": Wait(_NOTHING, "A new recording.", _NEW),
    "recorder_left": Wait("It waits for the files of the recorder.", "Its files.", _SHOW, "lateFilesMinutes"),
    "no_file_came": Wait(_NOTHING, "A file, however late.", "make agora-key STAGE={stage}"),
    "awaiting_upload": Wait("It waits for the file of the upload.", "The file, or the end of its link.", _SHOW),
    "upload_missing": Wait(_NOTHING, "A repeat of the request, with a new link.", _SHOW),
    **dict.fromkeys(
        (
            *("insights_model_refused", "insights_unreadable", "insights_filtered", "insights_unproved"),
            *("insights_over_budget", "insights_given_up"),
        ),
        Wait(_NOTHING, "A retry from the transcript that is saved.", "recordings retry {id} --from saved"),
    ),
}
"""By reason code, whatever the status is: `REASONS` says what a code means, and `advice` what to do about the cause."""

BY_STATUS_OF_MEDIA: Mapping[tuple[str, str], Wait] = {
    ("waiting", "preparation"): Wait("It waits for its execution to prepare it.", "Its execution.", _WATCH),
    ("waiting", "submission"): Wait("It waits for its execution to submit it.", "Its execution.", _WATCH),
    ("waiting", "result"): Wait("It waits for its execution to poll the job.", "Its execution.", _WATCH),
    ("waiting", "saving"): Wait("It waits for its execution to save the result.", "Its execution.", _WATCH),
    ("preparing", "preparation"): Wait(
        "Its file is being made.", "The end of the function, within 15 minutes.", _WATCH
    ),
    ("submitted", "result"): Wait(
        "The provider works on its job.", "The callback or a poll.", _WATCH, "pollCeilingMinutes"
    ),
    ("submitted", "saving"): Wait("Its result is being saved.", "The end of the function.", _WATCH),
    ("failed", ""): Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    ("done", ""): Wait(_NOTHING, "It is done.", "recordings insights show {id}"),
}
"""Without a reason code. The stage is empty for the terminal statuses: there it says where it failed."""

BY_STATUS: Mapping[str, Wait] = {
    "starting": Wait("It waits for the recorder to join.", "The recorder, within 90 seconds.", _SHOW),
    "recording": Wait(
        "The recorder is in the channel.", "A stop, an empty channel, or max_hours.", "recordings stop {id}"
    ),
    "stopping": Wait("It waits for the files of the recorder.", "The last file.", _SHOW, "lateFilesMinutes"),
    "processing": Wait("It waits for its media objects.", "The end of each.", _WATCH),
    "done": Wait(_NOTHING, "Everything that came is processed.", "recordings insights show {id}"),
    "partial": Wait(_NOTHING, "A retry of what failed.", _RETRY),
    "failed": Wait(_NOTHING, _BY_A_RETRY, _RETRY),
    "empty": Wait(_NOTHING, "Nothing: there is no sound.", _SHOW),
    "erasing": Wait("Its parts are being deleted.", "The deletion of the last one.", "recordings logs {id}"),
}
"""By the status of a recording that has no reason code, or whose media objects say why."""

DERIVED = Wait(
    "A model derives insights of its transcript.", "The model's last answer.", "recordings logs {id}", "giveUpHours"
)
"""Of a recording whose insights are pending. Its transcript can be read meanwhile."""

STATES: Mapping[str, Mapping[str, str]] = {
    "WorkflowArn": {
        "Prepare media": "The file is being made.",
        "Wait for files": "It looks for files again.",
        "Await end of track": "It waits for the end of the track.",
        "Submit recording": "It is being submitted.",
        "Await turn": "It waits for its turn.",
        "Await callback": "It waits for the callback, then it polls.",
        "Wait": "It waits for the next poll.",
        "Poll job": "The job is being polled.",
        "Save insights": "The result is being saved.",
        "Report fault": "A fault is being written down.",
        "Wait for repair": "It waits until it tries again what failed.",
        "Wait after unknown outcome": "It waits, and polls: a later version has answered.",
        "Report failure": "The failure is being written down.",
    },
    "WatchArn": {
        "Wait": "The watch waits for its next look at the recorder.",
        "Check recording": "The watch looks at the recorder.",
        "Wait for files": "The watch waits for late files.",
        "Recover recording": "The watch looks for parts that no MP4 holds.",
        "Wait after unknown outcome": "The watch waits, and looks again.",
    },
    "ErasesArn": {
        "Erase page": "A part is being deleted.",
        "Wait": "The erase waits before the next part.",
        "Wait after unknown outcome": "The erase waits, and goes on.",
    },
    "DerivationArn": {
        "Derive insights": "A model is being asked.",
        "Await turn": "It waits for its turn at the model.",
        "Wait for repair": "It waits until it asks the model again.",
        "Wait after unknown outcome": "It waits, and goes on.",
    },
}
"""What an execution does in a state in which it can be found, by the output that names its machine."""


def wait_of_media(status: str, stage: str | None, code: str | None) -> Wait:
    """Return what a media object waits for. A code that this version does not know counts as none."""
    if code and code in BY_CODE:
        return _ended(BY_CODE[code]) if status in ("done", "failed") else BY_CODE[code]
    if status in ("done", "failed"):
        return BY_STATUS_OF_MEDIA[status, ""]
    fallback = {"preparing": "preparation", "submitted": "result"}.get(status, "submission")
    return BY_STATUS_OF_MEDIA.get((status, stage or fallback), BY_STATUS_OF_MEDIA["waiting", "submission"])


def wait_of_recording(status: str, code: str | None) -> Wait:
    """Return what a recording waits for."""
    if status in ("processing", "erasing", "recording") or not code or code not in BY_CODE:
        return BY_STATUS.get(status, BY_STATUS["processing"])
    return _ended(BY_CODE[code]) if status in ("done", "partial", "failed", "empty") else BY_CODE[code]


def _ended(wait: Wait) -> Wait:
    """What ended waits for nothing, also if others wait with the same code."""
    if wait.is_over:
        return wait
    return Wait(_NOTHING, _BY_A_RETRY, wait.command if wait.command in (_DEPLOY, _PUT_KEY) else _RETRY)
