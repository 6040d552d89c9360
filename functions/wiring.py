"""The composition root: it makes the parts that the handlers pass to the domain.

Each handler module has one `Wiring` of its settings. Each part is made at its first use and then kept while the
worker lives, and with it its connections and tokens. Importing this module reads no environment and opens no client.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from recording_insights.aws import clients
from recording_insights.aws.secrets import FreshReads, OwnSecret, read_secret
from recording_insights.deadline import Deadline
from recording_insights.errors import ReplyGone, SecretUnavailable, SecretUnusable, UploadCredentialsUnavailable
from recording_insights.settings import (
    STAGE_SETTINGS_FILE,
    AdmissionSettings,
    AgoraSettings,
    BeginDerivationSettings,
    BusSettings,
    CallbacksSettings,
    DeliveriesSettings,
    DeliverNoticeSettings,
    DerivationMachineSettings,
    EraseMachineSettings,
    ErasePageSettings,
    FunctionSettings,
    GetRecordingSettings,
    KeepResultSettings,
    OwnSecretSettings,
    PrepareMediaSettings,
    ProcessingSettings,
    PublishChangesSettings,
    ReceiveCallbackSettings,
    ReceiveNotificationSettings,
    RecordingsBucketSettings,
    RepliesBucketSettings,
    RetryMachineSettings,
    RouteSettings,
    StageSettings,
    SubmitRecordingSettings,
    SubscriptionSettings,
    SweepSettings,
    TableSettings,
    TurnsSettings,
    VendorSettings,
    WatchSettings,
    WebhookSettings,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

    from recording_insights.agora.calls import ReadCredentials
    from recording_insights.agora.client import AgoraClient
    from recording_insights.agora.upload_credentials import Uploader
    from recording_insights.aws.change_stream import ChangeStream
    from recording_insights.aws.dead_letters import DeadLetters
    from recording_insights.aws.delivery_queue import DeliveryQueue
    from recording_insights.aws.event_bus import EventBus
    from recording_insights.aws.listing import S3Listing
    from recording_insights.aws.message_queue import MessageQueue
    from recording_insights.aws.model_client import BedrockModel
    from recording_insights.aws.recordings_bucket import S3Media, S3TrackFolder
    from recording_insights.aws.reply_bucket import ReplyStore
    from recording_insights.aws.role_sessions import RoleSessions, SessionCredentials
    from recording_insights.aws.state_machine import StateMachine
    from recording_insights.derive.brief import Brief
    from recording_insights.media.executions import ExecutionStarter
    from recording_insights.media.intake import Admission
    from recording_insights.model.media_object import MediaObject
    from recording_insights.model.words import Words
    from recording_insights.notices.addresses import Destination
    from recording_insights.notices.deliveries import Deliveries
    from recording_insights.notices.events import Event
    from recording_insights.processing.callbacks import Callbacks
    from recording_insights.processing.caps import Caps
    from recording_insights.processing.provider_choice import ProviderChoice
    from recording_insights.processing.submit_recording import SubmissionLinks
    from recording_insights.processing.turns import Turns
    from recording_insights.providers.port import CallbackAddress, CallsBack, Delivery, Provider, ProviderLoader
    from recording_insights.store.derivations import DerivationStore
    from recording_insights.store.insights import InsightStore
    from recording_insights.store.intake import IntakeStore
    from recording_insights.store.media import MediaStore
    from recording_insights.store.notices import NoticeStore
    from recording_insights.store.recordings import RecordingStore
    from recording_insights.store.retries import RetryStore
    from recording_insights.store.rows import MediaRow, RecordingRow
    from recording_insights.store.subscriptions import DeliveryStore, SubscriptionStore
    from recording_insights.store.sweeps import SweepStore
    from recording_insights.store.turns import TurnStore
    from recording_insights.upkeep.erase_page import Eraser


def keep_links_out_of_logs() -> None:
    """Let urllib3 log errors only: it warns of headers that it cannot parse with the whole URL of the answer.

    The URL may be a presigned link, or a webhook with its token.
    Source: https://github.com/urllib3/urllib3/blob/2.8.0/src/urllib3/connection.py
    """
    logging.getLogger("urllib3").setLevel(logging.ERROR)


keep_links_out_of_logs()

S = TypeVar("S", bound=FunctionSettings, covariant=True)
W = TypeVar("W")
T = TypeVar("T")


def utc_now() -> datetime:
    """The present moment, with its time zone."""
    return datetime.now(UTC)


def agora_client(settings: AgoraSettings, *, aws_region: str) -> "AgoraClient":
    """Return the client of the stage's Agora project. The stack and its bucket are in `aws_region`."""
    from recording_insights.agora.calls import AgoraCalls
    from recording_insights.agora.client import AgoraClient
    from recording_insights.agora.hosts import HostRotation, hosts_in, hosts_near
    from recording_insights.agora.rtc_token import CERTIFICATE_SECRET

    base_url = settings.base_urls.get("agora")
    agoras = hosts_in(settings.residency, aws_region) if settings.residency else hosts_near(aws_region)
    hosts = HostRotation([base_url.rstrip("/")] if base_url else agoras)
    return AgoraClient(
        AgoraCalls(_agora_credentials(settings), hosts, secret_name=settings.secret_name("agora")),
        uploader(settings, aws_region=aws_region),
        settings.secret_name(CERTIFICATE_SECRET),
    )


def _agora_credentials(settings: AgoraSettings) -> "ReadCredentials":
    """Return what reads the keys of the Agora project.

    The App Certificate is read for functions with `OwnSecretSettings` only, which make tokens for recorders.
    """
    from recording_insights.agora.client import SECRET_KEYS
    from recording_insights.agora.rtc_token import CERTIFICATE_KEY, CERTIFICATE_SECRET

    secret, certificate = settings.secret_name("agora"), None
    if isinstance(settings, OwnSecretSettings):
        certificate = own_secret(settings, CERTIFICATE_SECRET, CERTIFICATE_KEY)

    def read(fresh: bool) -> Mapping[str, str]:
        found = read_secret(secret, SECRET_KEYS, fresh=fresh)
        project = {key: found[key] for key in SECRET_KEYS}
        if certificate is None:
            return project
        try:
            return project | {CERTIFICATE_KEY: certificate.read(fresh)}
        except SecretUnusable as unusable:
            if unusable.is_missing:
                return project  # the project has no App Certificate
            raise

    return read


def own_secret(settings: OwnSecretSettings, name: str, key: str) -> OwnSecret:
    """Return the secret of one key alone, by the last part of its name."""
    return OwnSecret(settings.secret_name(name), key, settings.former_secret(name))


def uploader(settings: AgoraSettings, *, aws_region: str) -> "Uploader":
    """Return what makes the credentials for Agora's uploads to the recordings bucket."""
    from recording_insights.agora.storage import RecordingsBucket
    from recording_insights.agora.upload_credentials import SECRET, SECRET_KEYS, Uploader

    secret = settings.secret_name(SECRET)

    def key(fresh: bool) -> Mapping[str, str]:
        try:
            return read_secret(secret, SECRET_KEYS, fresh=fresh)
        except SecretUnavailable as error:
            raise UploadCredentialsUnavailable(str(error)) from None

    return Uploader(key, RecordingsBucket(settings.recordings_bucket, aws_region), clients.sts, settings.kms_key_arn)


class part(Generic[W, T]):
    """A part of a wiring: made at its first use, then kept by the wiring.

    It differs from `functools.cached_property` in one point: mypy checks that the function's settings declare what
    the part needs. A test replaces a part with `vars(wiring)["name"] = fake`.
    """

    def __init__(self, make: Callable[[W], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, wiring: W, owner: type) -> T:
        made = self._make(wiring)
        vars(wiring)[self._name] = made
        return made


class Wiring(Generic[S]):
    """The parts of one Lambda function. `settings_type` are the settings that the function reads."""

    def __init__(self, settings_type: type[S]) -> None:
        self.settings_type = settings_type
        if issubclass(settings_type, AgoraSettings):
            # Lambda starts a worker with a whole core, and gives its calls a fraction of one.
            import_module("recording_insights.agora.client")

    @part
    def settings(self) -> S:
        """The function's environment. Raises `SettingsInvalid` if it is incomplete or malformed."""
        return self.settings_type.from_env()

    @part
    def stage_settings(self) -> StageSettings:
        """The settings in the function's package. Raises `SettingsInvalid` if the file is missing or malformed."""
        return StageSettings.from_file(Path(__file__).with_name(STAGE_SETTINGS_FILE))

    # AWS

    @property
    def short_calls(self) -> bool:
        """Whether somebody waits for each call of AWS: an HTTP request, or the other media objects of a batch."""
        return issubclass(self.settings_type, (RouteSettings, AdmissionSettings))

    @part
    def table(self: "Wiring[TableSettings]") -> "Table":
        """The insights table."""
        return clients.table(self.settings.table_name, short_calls=self.short_calls)

    @part
    def s3(self) -> "S3Client":
        """The client that all buckets share."""
        return clients.s3(short_calls=self.short_calls)

    @part
    def step_functions(self) -> "SFNClient":
        """The client that starts executions and ends waits."""
        return clients.step_functions(short_calls=self.short_calls)

    # The table's stores

    @part
    def recordings(self: "Wiring[TableSettings]") -> "RecordingStore":
        """The rows of recordings."""
        from recording_insights.store.recordings import RecordingStore

        return RecordingStore(self.table)

    @part
    def media(self: "Wiring[TableSettings]") -> "MediaStore":
        """The rows of media objects."""
        from recording_insights.store.media import MediaStore
        from recording_insights.store.media_measures import MediaMeasures

        return MediaStore(self.table, observer=MediaMeasures())

    @part
    def insights(self: "Wiring[TableSettings]") -> "InsightStore":
        """The rows of transcripts and insights."""
        from recording_insights.store.insights import InsightStore

        return InsightStore(self.table)

    @part
    def derivations(self: "Wiring[TableSettings]") -> "DerivationStore":
        """The rows of what a model derives."""
        from recording_insights.store.derivation_measures import DerivationMeasures
        from recording_insights.store.derivations import DerivationStore

        return DerivationStore(self.table, observer=DerivationMeasures())

    @part
    def sweeps(self: "Wiring[TableSettings]") -> "SweepStore":
        """The row of the sweep."""
        from recording_insights.store.sweeps import SweepStore

        return SweepStore(self.table)

    @part
    def intake(self: "Wiring[TableSettings]") -> "IntakeStore":
        """The row that pauses the intake."""
        from recording_insights.store.intake import IntakeStore

        return IntakeStore(self.table)

    @part
    def retries(self: "Wiring[TableSettings]") -> "RetryStore":
        """The rows of the retries of many media objects."""
        from recording_insights.store.retries import RetryStore

        return RetryStore(self.table)

    @part
    def notices(self: "Wiring[TableSettings]") -> "NoticeStore":
        """The rows of Agora's notifications."""
        from recording_insights.store.notices import NoticeStore

        return NoticeStore(self.table)

    # Buckets

    @part
    def s3_media(self) -> "S3Media":
        """Media objects in whichever bucket their events name."""
        from recording_insights.aws.recordings_bucket import S3Media

        return S3Media(self.s3)

    @part
    def folder(self: "Wiring[RecordingsBucketSettings]") -> "S3TrackFolder":
        """The files of tracks in the recordings bucket."""
        return self.folder_of(self.settings.recordings_bucket)

    def folder_of(self, bucket: str) -> "S3TrackFolder":
        """The files of tracks in the bucket of an event."""
        from recording_insights.aws.recordings_bucket import S3TrackFolder

        return S3TrackFolder(self.s3, bucket)

    def listing(self, bucket: str) -> "S3Listing":
        """All objects of a bucket."""
        from recording_insights.aws.listing import S3Listing

        return S3Listing(self.s3, bucket)

    @part
    def replies(self: "Wiring[RepliesBucketSettings]") -> "ReplyStore":
        """The raw replies of providers."""
        from recording_insights.aws.reply_bucket import ReplyStore

        return ReplyStore(self.s3, self.settings.replies_bucket)

    def read_words(self: "Wiring[RepliesBucketSettings]", key: str) -> "Words":
        """Read the words of a try; none if they were deleted, as replies are after some time."""
        from recording_insights.model.words import unpacked

        try:
            return unpacked(self.replies.read(key))
        except ReplyGone:
            return ()

    # Sessions with the rights on one recording

    def for_media(self: "Wiring[PrepareMediaSettings]", recording_id: str, key: str) -> "Wiring[PrepareMediaSettings]":
        """The parts that use the table and the bucket with rights on one recording and its media object only.

        Raises botocore's errors if AWS does not give these rights.
        """
        from recording_insights.processing.recording_rights import session_name, session_policy

        policy = session_policy(
            recording_id,
            key,
            bucket=self.settings.recordings_bucket,
            partition=self.settings.session_role_arn.split(":")[1],
            kms_key_arn=self.settings.kms_key_arn,
        )
        return self.sessions.of(session_name(recording_id), policy)

    @part
    def sessions(self: "Wiring[PrepareMediaSettings]") -> "RoleSessions[Wiring[PrepareMediaSettings]]":
        """The sessions of the role that may use the table and the bucket."""
        from recording_insights.aws.role_sessions import RoleSessions
        from recording_insights.processing.file_conversion import TIMEOUT_SECONDS

        # The minute is for the difference between the clocks of AWS and of the worker.
        needs = timedelta(seconds=TIMEOUT_SECONDS + 60)
        return RoleSessions(clients.role_sts(), self.settings.session_role_arn, self._with_rights_of, needs, utc_now)

    def _with_rights_of(
        self: "Wiring[PrepareMediaSettings]", credentials: "SessionCredentials"
    ) -> "Wiring[PrepareMediaSettings]":
        limited = Wiring(self.settings_type)
        vars(limited).update(
            settings=self.settings,
            table=clients.table(self.settings.table_name, credentials=credentials),
            s3=clients.s3(credentials=credentials),
        )
        return limited

    # Dead letters

    @part
    def unadmitted(self: "Wiring[SweepSettings]") -> "DeadLetters":
        """The arrivals that were not admitted."""
        from recording_insights.aws.dead_letters import DeadLetters

        return DeadLetters(clients.sqs(), self.settings.unadmitted_url)

    @part
    def underived(self: "Wiring[SweepSettings]") -> "DeadLetters":
        """The transcripts that could not be handed to the model."""
        from recording_insights.aws.dead_letters import DeadLetters

        return DeadLetters(clients.sqs(), str(self.settings.underived_url))

    @part
    def dead_letters(self: "Wiring[SweepSettings]") -> "DeadLetters":
        """The events that a function or a rule has failed with."""
        from recording_insights.aws.dead_letters import DeadLetters

        return DeadLetters(clients.sqs(), self.settings.dead_letters_url)

    # Subscriptions

    @part
    def subscriptions(self: "Wiring[TableSettings]") -> "SubscriptionStore":
        """The rows of subscriptions."""
        from recording_insights.store.subscriptions import SubscriptionStore

        return SubscriptionStore(self.table)

    @part
    def delivery_store(self: "Wiring[TableSettings]") -> "DeliveryStore":
        """The rows of deliveries to subscriptions."""
        from recording_insights.store.subscriptions import DeliveryStore

        return DeliveryStore(self.table)

    @part
    def delivery_queue(self: "Wiring[DeliveriesSettings]") -> "DeliveryQueue":
        """The queue of deliveries to subscriptions."""
        from recording_insights.aws.delivery_queue import DeliveryQueue

        return DeliveryQueue(clients.sqs(short_calls=self.short_calls), self.settings.deliveries_url)

    @part
    def destination_of(self: "Wiring[SubscriptionSettings]") -> "Callable[[str], Destination]":
        """Resolves and checks where a webhook goes."""
        from recording_insights.notices.addresses import destination_of

        return partial(destination_of, allows_loopback=self.settings.subscribers_on_loopback)

    @part
    def deliveries(self: "Wiring[DeliverNoticeSettings]") -> "Deliveries":
        """Makes deliveries of events, and tries them."""
        from recording_insights.notices.deliveries import Deliveries
        from recording_insights.notices.sender import Sender

        return Deliveries(
            self.delivery_store,
            self.subscriptions,
            self.delivery_queue.put,
            Sender(self.destination_of).post,
            self._emit,
        )

    def _emit(self: "Wiring[BusSettings]", event: "Event") -> None:
        """Put an event onto the bus. Raises `AwsUnavailable` if EventBridge does not take it."""
        from recording_insights.errors import AwsUnavailable

        [refused] = self.bus.put([event])
        if refused:
            raise AwsUnavailable(f"EventBridge did not take an event ({refused})")

    # Events for others

    @part
    def bus(self: "Wiring[BusSettings]") -> "EventBus":
        """The bus of the stage's events."""
        from recording_insights.aws.event_bus import EventBus
        from recording_insights.notices.events import SOURCE

        return EventBus(clients.event_bridge(), self.settings.bus_name, SOURCE)

    @part
    def unpublished(self: "Wiring[PublishChangesSettings]") -> "MessageQueue":
        """The queue of changes that could not be published."""
        from recording_insights.aws.message_queue import MessageQueue

        return MessageQueue(clients.sqs(), self.settings.unpublished_url)

    @part
    def change_stream(self) -> "ChangeStream":
        """The stream of the table."""
        from recording_insights.aws.change_stream import ChangeStream

        return ChangeStream(clients.table_streams())

    # Arrival

    def admit(
        self: "Wiring[AdmissionSettings]", media: "MediaObject", who: str | None = None, provider: str | None = None
    ) -> "Admission":
        """Admit an object of a recordings bucket, or return why it is ignored.

        `who` is the caller who named it, if one did, and `provider` the one that this caller wants.
        """
        from recording_insights.media.batch import PROBE_SECONDS, read_until
        from recording_insights.media.intake import admit_media

        return admit_media(
            media,
            store=self.media,
            default_provider=self.settings.provider,
            prefix_providers=self.stage_settings.prefix_providers,
            reader=lambda read: read_until(Deadline.after(PROBE_SECONDS), self.s3_media.range_reader(read)),
            checksum=self.s3_media.checksum,
            folder=self.folder_of(media.bucket),
            start_execution=self.start_processing,
            end_wait=self.end_wait,
            who=who,
            provider=provider,
            erase_late=self.erase_late_media,
            derivation={} if self.settings.insights_model else None,
        )

    # What a model derives

    @part
    def stage_brief(self: "Wiring[BeginDerivationSettings]") -> "Brief":
        """What the stage wants of its model."""
        from recording_insights.derive.brief import Brief

        settings = self.settings
        price = settings.insights_price
        return Brief(
            model=str(settings.insights_model),
            kinds=tuple(settings.insights_kinds),
            language=settings.insights_language,
            prompt=self.stage_settings.insights_prompt,
            max_cents=settings.insights_max_cents,
            guardrail=settings.insights_guardrail,
            price=(price[0], price[1]) if price else None,
        )

    @part
    def model(self) -> "BedrockModel":
        """The models of Amazon Bedrock in the region of the stack."""
        from recording_insights.aws.model_client import BedrockModel

        return BedrockModel(clients.bedrock())

    @part
    def start_derivation(self: "Wiring[DerivationMachineSettings]") -> "ExecutionStarter":
        """Starts an execution that derives insights."""
        return partial(clients.start_execution, self.step_functions, str(self.settings.derivation_arn))

    def stop_derivation(self: "Wiring[DerivationMachineSettings]", execution: str) -> None:
        """Stop the execution of a name that derives insights."""
        from recording_insights.aws.state_machine import StateMachine

        if self.settings.derivation_arn:
            StateMachine(self.step_functions, self.settings.derivation_arn).stop(execution)

    # State machines

    @part
    def start_processing(self: "Wiring[ProcessingSettings]") -> "ExecutionStarter":
        """Starts an execution that processes a media object."""
        return partial(clients.run_execution, self.step_functions, self.settings.workflow_arn)

    @part
    def workflow(self: "Wiring[ProcessingSettings]") -> "StateMachine":
        """The state machine that processes media objects."""
        from recording_insights.aws.state_machine import StateMachine

        return StateMachine(self.step_functions, self.settings.workflow_arn)

    @part
    def retry_machine(self: "Wiring[RetryMachineSettings]") -> "StateMachine":
        """The state machine that retries many media objects."""
        from recording_insights.aws.state_machine import StateMachine

        return StateMachine(self.step_functions, self.settings.retries_arn)

    def is_running(self, execution_arn: str) -> bool:
        """Whether an execution runs. Only this makes the client, which few calls need."""
        return clients.is_running(self.step_functions, execution_arn)

    @part
    def start_watch(self: "Wiring[WatchSettings]") -> "Callable[[RecordingRow], None]":
        """Starts the watch over a recording."""
        from recording_insights.watch.start_watch import start_watch

        start_execution = partial(clients.start_execution, self.step_functions, self.settings.watch_arn)
        return partial(start_watch, start_execution=start_execution)

    @part
    def start_stop_watch(self: "Wiring[WatchSettings]") -> "Callable[[RecordingRow], None]":
        """Starts the watch over a stop that found no recorder."""
        from recording_insights.watch.start_watch import start_stop_watch

        start_execution = partial(clients.start_execution, self.step_functions, self.settings.watch_arn)
        return partial(start_stop_watch, start_execution=start_execution)

    @part
    def end_wait(self) -> Callable[[str], None]:
        """Ends the wait of the state that waits with a task token."""
        return partial(clients.end_wait, self.step_functions)

    # Erases

    @part
    def erase_machine(self: "Wiring[EraseMachineSettings]") -> "StateMachine":
        """The state machine that erases recordings."""
        from recording_insights.aws.state_machine import StateMachine

        return StateMachine(self.step_functions, self.settings.erase_arn)

    def erase_late_media(self: "Wiring[EraseMachineSettings]", media: "MediaObject") -> None:
        """Have an object deleted that came for an erased recording."""
        self._erase_late(
            "recordings", media.playlist or media.key, f"{media.etag} {media.sequencer} {media.created_at}"
        )

    def erase_late_result(self: "Wiring[EraseMachineSettings]", key: str) -> None:
        """Have a result deleted that came for an erased recording."""
        self._erase_late("replies", key, utc_now().strftime("%Y%m%d%H%M"))

    def _erase_late(self: "Wiring[EraseMachineSettings]", bucket: str, key: str, version: str) -> None:
        from recording_insights.upkeep.erase import erase_late_file

        erase_late_file(bucket, key, version, executions=self.erase_machine)

    @part
    def eraser(self: "Wiring[ErasePageSettings]") -> "Eraser":
        """Deletes recordings: from the table, the buckets and the providers."""
        from recording_insights.aws.object_versions import ObjectVersions
        from recording_insights.providers.registry import PROVIDERS
        from recording_insights.settings import job_prefix
        from recording_insights.upkeep.erase_page import Eraser

        settings = self.settings
        buckets = {"recordings": settings.recordings_bucket, "replies": settings.replies_bucket}
        return Eraser(
            store=self.media,
            buckets={name: ObjectVersions(self.s3, bucket) for name, bucket in buckets.items()},
            provider_for=self.provider_for,
            providers=tuple(PROVIDERS),
            job_prefix=job_prefix(settings.stage),
            withdraw=self.turns.withdraw,
            end_wait=self.end_wait,
            stop_execution=self.workflow.stop,
            stop_derivation=self.stop_derivation,
            agora=lambda: self.agora,
            log_days=settings.log_retention_days,
        )

    # Agora

    @part
    def aws_region(self: "Wiring[TableSettings]") -> str:
        """The AWS region of the stack."""
        return clients.region(self.table)

    @part
    def agora(self: "Wiring[AgoraSettings]") -> "AgoraClient":
        """The stage's Agora project. The client keeps its connection."""
        return agora_client(self.settings, aws_region=self.aws_region)

    @part
    def _notification_secret(self: "Wiring[ReceiveNotificationSettings]") -> OwnSecret:
        """The secret of Agora's notifications."""
        from recording_insights.agora.notifications import SECRET, SECRET_KEY

        return own_secret(self.settings, SECRET, SECRET_KEY)

    def notification_secret(self: "Wiring[ReceiveNotificationSettings]") -> str:
        """The key that Agora signs notifications with.

        Raises:
            NotFound: there is none, so nobody has set up notifications.
        """
        from recording_insights.errors import NotFound

        try:
            return self._notification_secret.read()
        except SecretUnusable as unusable:
            raise NotFound(f"notifications are not set up: {unusable}") from unusable

    # Providers

    @part
    def provider_for(self: "Wiring[VendorSettings]") -> "ProviderLoader":
        """Gives the adapter of a provider by its name and residency. Each adapter keeps its vendor's access token."""
        from recording_insights.providers.registry import load_provider

        @cache
        def load(name: str, residency: str | None = None) -> "Provider":
            return load_provider(name, self.settings, residency)

        return load

    @part
    def provider_choice(self: "Wiring[SubmitRecordingSettings]") -> "ProviderChoice":
        """Which provider gets a media object, and with which options."""
        from recording_insights.processing.provider_choice import ProviderChoice
        from recording_insights.providers.registry import PROVIDERS, formats_of

        return ProviderChoice(
            load=partial(self.provider_for, residency=self.settings.residency),
            formats=formats_of,
            checks=lambda name: PROVIDERS[name].options,
            options=self.stage_settings.provider_options,
            failover=self.settings.failover,
            residency=self.settings.residency,
        )

    @part
    def links(self: "Wiring[SubmitRecordingSettings]") -> "SubmissionLinks":
        """What a provider gets with a media object."""
        from recording_insights.processing.submit_recording import SubmissionLinks

        return SubmissionLinks(
            link=partial(self.s3_media.link, minutes=self.settings.link_minutes),
            stream=self.s3_media.stream,
            callback=self._callback_address,
            delivery=self._delivery,
        )

    def _callback_address(self: "Wiring[SubmitRecordingSettings]", provider: str, job_name: str) -> "CallbackAddress":
        from recording_insights.providers.port import CallbackAddress

        url = f"{self.settings.webhook_url}/webhooks/{provider}/{job_name}"
        return CallbackAddress(url, self._callback_tokens(provider, job_name)[0])

    def _delivery(self: "Wiring[SubmitRecordingSettings]", provider: str, job_name: str) -> "Delivery":
        from recording_insights.aws.reply_bucket import delivery_key
        from recording_insights.providers.port import Delivery

        key = delivery_key(provider, job_name)
        make_link = partial(self.replies.upload_link, key, minutes=self.settings.link_minutes)
        return Delivery(self.settings.replies_bucket, key, make_link)

    @part
    def turn_store(self: "Wiring[TableSettings]") -> "TurnStore":
        """The rows of slots, queues, health and brakes."""
        from recording_insights.store.turns import TurnStore

        return TurnStore(self.table)

    @part
    def queue_of(self: "Wiring[GetRecordingSettings]") -> "Callable[[MediaRow], Mapping[str, Any]]":
        """Tells where in its provider's queue a media object is."""

        def queue_of_row(row: "MediaRow") -> Mapping[str, Any]:
            # Few media objects wait for a turn, and the others need no adapters.
            from recording_insights.processing.providers import queue_of

            return queue_of(row, turns=self.turn_store, limits=self.settings.slots, store=self.media)

        return queue_of_row

    def takers(self: "Wiring[TurnsSettings]", providers: Sequence[str]) -> Sequence[str]:
        """Where turns are taken: at these providers, and at the model if the stage has one."""
        from recording_insights.model.derived import BEDROCK

        return [*providers, *([BEDROCK] if BEDROCK in self.settings.slots else [])]

    def find_turn(self: "Wiring[TableSettings]", recording_id: str, media_id: str) -> "MediaRow | None":
        """The row of what may hold a turn: of a media object, or of what a model derives."""
        return self.media.find(recording_id, media_id) or self.derivations.find_turn(recording_id, media_id)

    @part
    def turns(self: "Wiring[TurnsSettings]") -> "Turns":
        """The slots and queues of the providers."""
        from recording_insights.processing.turns import LEASE_MARGIN_SECONDS, Turns

        lease_seconds = self.settings.poll_ceiling_minutes * 60 + LEASE_MARGIN_SECONDS
        return Turns(self.turn_store, self.settings.slots, lease_seconds, self.end_wait)

    @part
    def caps(self: "Wiring[SubmitRecordingSettings]") -> "Caps":
        """The caps of the stack, and what was counted."""
        from recording_insights.processing.caps import Caps
        from recording_insights.store.job_counts import JobCountStore

        settings = self.settings
        return Caps(
            self.recordings,
            JobCountStore(self.table),
            most_tracks=settings.most_tracks_per_recording,
            most_minutes=settings.most_minutes_per_recording,
            most_jobs=settings.most_jobs_per_recording,
            most_jobs_per_day=settings.most_jobs_per_day,
        )

    # Callbacks

    @part
    def callbacks(self: "Wiring[CallbacksSettings]") -> "Callbacks":
        """Receives callbacks, deliveries and state changes of jobs."""
        from recording_insights.processing.callbacks import Callbacks

        return Callbacks(self.media, self.replies, self.end_wait, self._start_late, self.erase_late_result)

    def _start_late(self: "Wiring[ProcessingSettings]", *, name: str, state: str) -> bool:
        """Start an execution for a late result. Only this makes the client, which other callbacks do not need."""
        return self.start_processing(name=name, state=state)

    def _callback_tokens(
        self: "Wiring[WebhookSettings]", provider: str, job_name: str, fresh: bool = False
    ) -> list[str]:
        """The tokens that a callback for a job may show. The first is made with the present key."""
        from recording_insights.processing.callbacks import KEY, callback_token, webhook_keys

        secret = read_secret(self.settings.webhook_secret, (KEY,), fresh=fresh)
        return [callback_token(key, provider, job_name) for key in webhook_keys(secret)]

    @part
    def _fresh_reads(self) -> FreshReads:
        """The limit of what unproven callbacks cost."""
        return FreshReads()

    @part
    def _webhook_secret_of(self: "Wiring[OwnSecretSettings]") -> "Callable[[str], OwnSecret]":
        """Gives the secret that a vendor signs its callbacks with, by the provider's name."""
        from recording_insights.providers.registry import PROVIDERS, webhook_secret

        return cache(lambda name: own_secret(self.settings, webhook_secret(name), str(PROVIDERS[name].webhook_key)))

    def signing_keys(self: "Wiring[OwnSecretSettings]", provider: str) -> "Iterator[Sequence[str]]":
        """The key that a vendor signs its callbacks with, as `CallbackRequest` needs it."""
        return self._fresh_reads.attempts(lambda fresh: [self._webhook_secret_of(provider).read(fresh)])

    def callback_secrets(self: "Wiring[ReceiveCallbackSettings]", provider: str, job: str) -> "Iterator[Sequence[str]]":
        """What proves the callbacks of a provider for a job, as `CallbackRequest` needs it."""
        from recording_insights.providers.registry import PROVIDERS

        if PROVIDERS[provider].webhook_key:
            return self.signing_keys(provider)
        return self._fresh_reads.attempts(partial(self._callback_tokens, provider, job))

    def receiver(self: "Wiring[ReceiveCallbackSettings]", provider: str) -> "CallsBack":
        """What reads the callbacks of a provider.

        Raises:
            NotFound: the provider does not belong to this stack, does not call back, or has a route of its own.
        """
        from recording_insights.errors import NotFound
        from recording_insights.providers.registry import receiver_of, receives_webhooks, sends_result

        if provider not in self.settings.providers or not receives_webhooks(provider) or sends_result(provider):
            raise NotFound("no provider of this stack calls back here")
        return receiver_of(provider)

    @part
    def result_receiver(self: "Wiring[KeepResultSettings]") -> "CallsBack":
        """What reads the results that the provider sends to the function's route."""
        from recording_insights.providers.registry import receiver_of

        return receiver_of(self.settings.provider)
