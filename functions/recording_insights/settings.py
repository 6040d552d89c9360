"""The settings of each function, and how they travel from the stack to the function.

A function reads its environment. Each field of its class is one variable, named in capitals. The stack writes the
variables from an instance of the same class, so that both always agree. Values are texts, whole numbers, true or
false, JSON lists or JSON objects.

Lambda allows 4 KB for all variables of a function. Settings without a limit on their length therefore travel in a
file of the function's package, see `StageSettings`.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self, TypeVar, dataclass_transform

from recording_insights.bounded import parse_bounded
from recording_insights.errors import SettingsInvalid

C = TypeVar("C")

STAGE_SETTINGS_FILE = "stage_settings.json"
"""The name of the file of `StageSettings`, at the top of the package."""


def secret_name(stage: str, vendor: str) -> str:
    """The name in Secrets Manager of a vendor's credentials."""
    return f"recording-insights/{stage}/{vendor}"


FORMER_SECRETS: Mapping[str, str] = {
    "agora-certificate": "agora",
    "agora-notifications": "agora",
    "seameet-webhook": "seameet",
}
"""By secret, both without stage: the secret that held its key in earlier releases. This release reads both."""


def job_prefix(stage: str) -> str:
    """The beginning of the names of a stage's jobs at services of AWS, which all stages of an account share."""
    return f"recording-insights-{stage}-"


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def _settings(cls: type[C]) -> type[C]:
    """Make a frozen dataclass that is compared as `FunctionSettings` compares.

    Every function imports every class, and a comparison of each one's own takes 10 ms of a cold start in all.
    """
    return dataclass(frozen=True, repr=False, eq=False)(cls)


@_settings
class FunctionSettings:
    """The settings that every function has: none. Subclasses add the fields that a function reads."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read and check the environment; without one, that of the process.

        Raises:
            SettingsInvalid: names every variable that is missing or malformed, in one message.
        """
        source = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        faults: list[str] = []
        for setting in fields(cls):
            name = setting.name.upper()
            text = source.get(name, "")
            if not text:
                faults += [f"{name} is missing"] if setting.default is MISSING else []
                continue
            try:
                values[setting.name] = _parse(text, setting.type)
            except ValueError as error:
                faults.append(f"{name} {error}")
        if faults:
            raise SettingsInvalid("; ".join(faults))
        return cls(**values)

    def to_env(self) -> dict[str, str]:
        """The variables that `from_env` reads. Texts may be tokens of the CDK and stay as they are.

        A setting that is None has no variable.
        """
        values = {setting.name.upper(): getattr(self, setting.name) for setting in fields(self)}
        return {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in values.items()
            if value is not None
        }


@_settings
class TableSettings(FunctionSettings):
    """For functions that read or write the insights table."""

    table_name: str


@_settings
class SecretSettings(FunctionSettings):
    """For functions that read secrets: the stage is a part of each secret's name."""

    stage: str

    def secret_name(self, vendor: str) -> str:
        """The name in Secrets Manager of a vendor's credentials."""
        return secret_name(self.stage, vendor)


@_settings
class OwnSecretSettings(SecretSettings):
    """For functions that read a key with a secret of its own; `read_old_secrets`: also where it was before."""

    read_old_secrets: bool

    def former_secret(self, name: str) -> str | None:
        """The name in Secrets Manager of the secret that held this one's key before; None if it is not read."""
        return self.secret_name(FORMER_SECRETS[name]) if self.read_old_secrets and name in FORMER_SECRETS else None


@_settings
class VendorSettings(SecretSettings):
    """For functions that call vendors: `base_urls` replaces a vendor's scheme and host, by the vendor's name.

    `kms_key_arn` is the customer's key that encrypts the buckets; None if AWS's own keys do. `residency` names the
    countries that the data must stay in; None if it may go anywhere.
    """

    base_urls: Mapping[str, str]
    residency: str | None = field(default=None, kw_only=True)
    kms_key_arn: str | None = field(default=None, kw_only=True)


@_settings
class RecordingsBucketSettings(FunctionSettings):
    """For functions that need the name of the bucket that Agora writes to."""

    recordings_bucket: str


@_settings
class AgoraSettings(TableSettings, VendorSettings, RecordingsBucketSettings):
    """For functions that call Agora about a recording in the table."""


@_settings
class RepliesBucketSettings(FunctionSettings):
    """For functions that need the name of the bucket that keeps replies."""

    replies_bucket: str


@_settings
class RepliesSettings(TableSettings, RepliesBucketSettings):
    """For functions that keep or read a media object's reply."""


@_settings
class ProcessingSettings(FunctionSettings):
    """For functions that start executions of the state machine that processes media objects."""

    workflow_arn: str


@_settings
class EraseMachineSettings(FunctionSettings):
    """For functions that start executions of the state machine that erases recordings."""

    erase_arn: str


@_settings
class ModelSettings(FunctionSettings):
    """For functions that make recordings: `insights_model` derives insights from transcripts; None if no model does."""

    insights_model: str | None = field(default=None, kw_only=True)


@_settings
class DerivationMachineSettings(FunctionSettings):
    """For functions that know the state machine which derives insights; None if the stage has no model."""

    derivation_arn: str | None = field(default=None, kw_only=True)


@_settings
class AdmissionSettings(TableSettings, ProcessingSettings, EraseMachineSettings, ModelSettings):
    """`provider` gets a media object for which neither its recording nor its key names a provider."""

    provider: str


@_settings
class CallbacksSettings(RepliesSettings, ProcessingSettings, EraseMachineSettings):
    """For functions that receive results: one that comes late starts an execution, or is deleted."""


@_settings
class LateFilesSettings(FunctionSettings):
    """For functions that wait for files: how many minutes after the end of a recording files may arrive."""

    late_files_minutes: int


@_settings
class WebhookSettings(FunctionSettings):
    """For functions that make or check the tokens of callbacks: the name of the secret that makes them."""

    webhook_secret: str


@_settings
class TurnsSettings(TableSettings):
    """For functions that take or give back slots: their number by provider; a provider without one has no slots."""

    slots: Mapping[str, int]
    poll_ceiling_minutes: int


# Routes


@_settings
class RouteSettings(FunctionSettings):
    """For functions that answer an HTTP request: their calls of AWS have to end before API Gateway's time is over."""


@_settings
class WatchSettings(FunctionSettings):
    """The state machine that watches recorders."""

    watch_arn: str


@_settings
class StartRecordingSettings(AgoraSettings, OwnSecretSettings, WatchSettings, ModelSettings, RouteSettings):
    """`provider` gets a recording that names no provider. A recording may name any of `providers`."""

    provider: str
    providers: Sequence[str]


@_settings
class OpenUploadSettings(TableSettings, RecordingsBucketSettings, ModelSettings, RouteSettings):
    """`provider` gets a recording that names no provider. A recording may name any of `providers`."""

    provider: str
    providers: Sequence[str]


@_settings
class ListRecordingsSettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class GetRecordingSettings(AgoraSettings, RouteSettings):
    """The table, Agora, and the slots of the providers."""

    slots: Mapping[str, int]


@_settings
class UpdateRecordingSettings(AgoraSettings, RouteSettings):
    """The table and Agora."""


@_settings
class UpdateLayoutSettings(AgoraSettings, RouteSettings):
    """The table and Agora."""


@_settings
class StopRecordingSettings(AgoraSettings, WatchSettings, RouteSettings):
    """The table, Agora and the watch."""


@_settings
class EraseRecordingSettings(TableSettings, EraseMachineSettings, RouteSettings):
    """The table, and the state machine that erases."""


@_settings
class RetryRecordingSettings(TableSettings, ProcessingSettings, ModelSettings, RouteSettings):
    """`providers` are all providers of the stack: a retry may name any of them."""

    providers: Sequence[str]


@_settings
class AdmitObjectSettings(AdmissionSettings, RecordingsBucketSettings, RouteSettings):
    """Takes an object of the recordings bucket by its key. `providers` are all providers of the stack."""

    providers: Sequence[str]


@_settings
class RetryMachineSettings(FunctionSettings):
    """For functions that start the state machine which retries many media objects."""

    retries_arn: str


@_settings
class RetryManySettings(TableSettings, RetryMachineSettings, RouteSettings):
    """`providers` are all providers of the stack: a retry may name any of them."""

    providers: Sequence[str]


@_settings
class ListRetriesSettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class GetRetrySettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class CancelRetrySettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class ListProvidersSettings(TurnsSettings, RouteSettings):
    """`providers` are all providers of the stack."""

    providers: Sequence[str]


@_settings
class UpdateProviderSettings(TurnsSettings, RouteSettings):
    """`providers` are all providers of the stack."""

    providers: Sequence[str]


@_settings
class CancelRecordingSettings(TurnsSettings, RouteSettings):
    """The table and the slots."""


@_settings
class GetInsightsSettings(RepliesSettings, RouteSettings):
    """The table, and the words beside the replies."""


@_settings
class CorrectTranscriptSettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class ListInsightsSettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class GetMediaSettings(TableSettings, RouteSettings):
    """The table only: its rows name the objects."""


@_settings
class BusSettings(FunctionSettings):
    """For functions that put events onto the stage's bus, which is `bus_name`."""

    bus_name: str


@_settings
class SubscriptionSettings(TableSettings):
    """`subscribers_on_loopback`: plain http and this machine are allowed, which the stage `local` alone has."""

    subscribers_on_loopback: bool


@_settings
class DeliveriesSettings(TableSettings):
    """For functions that put deliveries into their queue, which is `deliveries_url`."""

    deliveries_url: str


@_settings
class CreateSubscriptionSettings(SubscriptionSettings, RouteSettings):
    """The table, and which hosts get events."""


@_settings
class ListSubscriptionsSettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class GetSubscriptionSettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class UpdateSubscriptionSettings(SubscriptionSettings, RouteSettings):
    """The table, and which hosts get events."""


@_settings
class DeleteSubscriptionSettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class RotateSecretSettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class SendTestEventSettings(DeliveriesSettings, RouteSettings):
    """The table and the queue of deliveries."""


@_settings
class ListDeliveriesSettings(TableSettings, RouteSettings):
    """The table only."""


@_settings
class ResendDeliverySettings(DeliveriesSettings, RouteSettings):
    """The table and the queue of deliveries."""


@_settings
class ReceiveNotificationSettings(TableSettings, OwnSecretSettings, RouteSettings):
    """The table, and the stage of the secret that notifications are signed with."""


@_settings
class ReceiveCallbackSettings(CallbacksSettings, OwnSecretSettings, WebhookSettings, RouteSettings):
    """`providers` are all providers of the stack: callbacks of any other provider are refused."""

    providers: Sequence[str]


@_settings
class KeepResultSettings(RepliesBucketSettings, OwnSecretSettings, RouteSettings):
    """`provider` is the one that sends its results to the function's route."""

    provider: str


# States


@_settings
class PrepareMediaSettings(TableSettings, RecordingsBucketSettings, LateFilesSettings):
    """The table and the bucket of the tracks, which the function may use only in sessions of a role.

    `session_role_arn` is that role. `kms_key_arn` is the customer's key that encrypts both; None if AWS's own keys do.
    """

    session_role_arn: str
    kms_key_arn: str | None = field(default=None, kw_only=True)


@_settings
class SubmitRecordingSettings(RepliesSettings, VendorSettings, WebhookSettings, TurnsSettings):
    """`failover` are the providers that take over, in this order.

    A provider takes over `failover_minutes` after the arrival. `give_up_hours` counts from the first turn of the media
    object at a provider, `queue_days` from its arrival. `link_minutes` is the life of a presigned URL. Vendors reach
    our webhooks under `webhook_url`. The caps begin with `most`; None is no cap.
    """

    failover: Sequence[str]
    failover_minutes: int
    give_up_hours: int
    queue_days: int
    link_minutes: int
    webhook_url: str
    most_tracks_per_recording: int | None = field(default=None, kw_only=True)
    most_minutes_per_recording: int | None = field(default=None, kw_only=True)
    most_jobs_per_recording: int | None = field(default=None, kw_only=True)
    most_jobs_per_day: int | None = field(default=None, kw_only=True)


@_settings
class PollJobSettings(RepliesSettings, VendorSettings, TurnsSettings):
    """`poll_ceiling_minutes` counts from the moment in which the provider accepted the job."""


@_settings
class SaveInsightsSettings(RepliesSettings, VendorSettings):
    """The table, the replies, and what loads the adapter that reads them."""


@_settings
class ReportFaultSettings(TableSettings):
    """`give_up_hours` is how long faults in a row are waited for."""

    give_up_hours: int


@_settings
class ReportFailureSettings(TurnsSettings):
    """The table, and what is needed to give slots back."""


@_settings
class CheckRecordingSettings(AgoraSettings, LateFilesSettings):
    """The table and Agora."""


@_settings
class RecoverRecordingSettings(TableSettings, RecordingsBucketSettings, ProcessingSettings, LateFilesSettings):
    """The table, the bucket of the segments, and the state machine that processes what is recovered."""


@_settings
class RetryPageSettings(TableSettings, ProcessingSettings):
    """`retries_per_minute` is how many media objects a retry of many begins in a minute."""

    retries_per_minute: int


@_settings
class ErasePageSettings(
    AgoraSettings, RepliesBucketSettings, TurnsSettings, ProcessingSettings, DerivationMachineSettings
):
    """The table, both buckets, Agora, the providers, and the state machines whose executions are stopped.

    `log_retention_days` is in the receipt.
    """

    log_retention_days: int


# Events


@_settings
class AdmitMediaSettings(AdmissionSettings):
    """Takes the objects that events announce."""


@_settings
class ReceiveResultEventSettings(CallbacksSettings):
    """`providers` are all providers of the stack: events of any other service are ignored."""

    providers: Sequence[str]


@_settings
class SweepSettings(CallbacksSettings, AdmissionSettings, RecordingsBucketSettings, TurnsSettings):
    """`providers` as for results. `arrivals_arn` is the queue of arrivals, and the two URLs are dead-letter queues.

    The days are those of `Retention`. With a model, `transcripts_arn` is the queue of transcripts to derive from, and
    `underived_url` its dead-letter queue.
    """

    providers: Sequence[str]
    arrivals_arn: str
    unadmitted_url: str
    dead_letters_url: str
    transcripts_arn: str | None = field(default=None, kw_only=True)
    underived_url: str | None = field(default=None, kw_only=True)
    media_days: int | None = field(default=None, kw_only=True)
    segments_days: int | None = field(default=None, kw_only=True)
    insights_days: int | None = field(default=None, kw_only=True)


@_settings
class DeliverNoticeSettings(SubscriptionSettings, DeliveriesSettings, BusSettings):
    """The table, the queue of deliveries, which hosts get events, and the bus."""


@_settings
class PublishChangesSettings(TableSettings, BusSettings):
    """The table, the bus of the stage's events, and the queue of changes that could not be published."""

    unpublished_url: str


@_settings
class ReportStoppedExecutionSettings(TurnsSettings):
    """The table, and what is needed to give slots back."""


@_settings
class BeginDerivationSettings(RepliesSettings, ModelSettings, DerivationMachineSettings):
    """What is wanted of `insights_model`, as the stage's settings of the same names say.

    `insights_kinds` is empty for what the providers do not find. `insights_price` is in US dollars per million tokens,
    in and out.
    """

    insights_kinds: Sequence[str]
    insights_language: str | None = field(default=None, kw_only=True)
    insights_guardrail: str | None = field(default=None, kw_only=True)
    insights_max_cents: float | None = field(default=None, kw_only=True)
    insights_price: Sequence[float] | None = field(default=None, kw_only=True)


@_settings
class DeriveInsightsSettings(RepliesSettings, TurnsSettings):
    """`give_up_hours` counts from the first turn at the model, `queue_days` from the transcript."""

    give_up_hours: int
    queue_days: int


@dataclass(frozen=True)
class StageSettings:
    """The settings of a stage that travel in a file of the package, because nothing limits their length.

    `provider_options` are the stage's options for each provider, by the provider's name. `prefix_providers` are the
    providers of media objects whose key begins with a prefix: the first one gets the media object, the others take
    over. `insights_prompt` is what the operator tells the model beside our own prompt.
    """

    provider_options: Mapping[str, Mapping[str, Any]]
    prefix_providers: Mapping[str, Sequence[str]]
    insights_prompt: str = ""

    @classmethod
    def from_file(cls, file: Path) -> Self:
        """Read and check the file.

        Raises:
            SettingsInvalid: the file is missing or no JSON object, or names every setting that is missing or malformed.
        """
        try:
            given = parse_bounded(file.read_bytes())
        except FileNotFoundError:
            raise SettingsInvalid(f"{file.name} is missing from the package") from None
        except ValueError:
            given = None
        if not isinstance(given, dict):
            raise SettingsInvalid(f"{file.name} is not a JSON object")
        checks: Mapping[str, tuple[Callable[[Any], bool], str]] = {
            "provider_options": (_is_object, "objects"),
            "prefix_providers": (_is_list_of_texts, "lists of texts"),
        }
        faults = [
            f"{name} is not a JSON object of {form}" if name in given else f"{name} is missing"
            for name, (is_valid, form) in checks.items()
            if not _is_object(given.get(name)) or not all(map(is_valid, given[name].values()))
        ]
        prompt = given.get("insights_prompt", "")
        if not isinstance(prompt, str):
            faults.append("insights_prompt is not a text")
        if faults:
            raise SettingsInvalid(f"{file.name}: {'; '.join(faults)}")
        return cls(**{name: given[name] for name in checks}, insights_prompt=prompt)

    def to_json(self) -> str:
        """The content of the file that `from_file` reads; the same settings give the same text."""
        return json.dumps(asdict(self), sort_keys=True)


def _parse(text: str, kind: Any) -> Any:
    if kind is str or kind == str | None:
        return text
    if kind in (int, int | None):
        if not text.isdecimal():
            raise ValueError("is not a whole number")
        return int(text)
    if kind == float | None:
        try:
            return float(text)
        except ValueError:
            raise ValueError("is not a number") from None
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError("is not true or false")
        return text == "true"
    form, name = (dict, "object") if getattr(kind, "__origin__", None) is Mapping else (list, "list")
    try:
        value = parse_bounded(text)
    except ValueError:
        value = None
    if not isinstance(value, form):
        raise ValueError(f"is not a JSON {name}")
    return value


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
