"""The stack: it composes the constructs and creates no resource itself."""

from typing import Any

import aws_cdk as cdk
from constructs import Construct

from infra.access import Foundation
from infra.alarms import Watched
from infra.api import RecordingsApi, provider_routes, retry_routes
from infra.arrival import RecordingArrival
from infra.buckets import Buckets
from infra.callbacks import Webhooks
from infra.derivation import Derivation
from infra.erase import Erases
from infra.events import Events
from infra.model_name import ModelName
from infra.monitoring import Monitoring
from infra.notifications import AgoraNotifications
from infra.processing import ProcessingWorkflow
from infra.retries import Retries
from infra.settings import StackSettings
from infra.stack_metadata import KEY, digest_of, metadata_of
from infra.stopped_executions import StoppedExecutions
from infra.subscriptions import Subscriptions
from infra.sweep import Sweep
from infra.table import InsightsTable
from infra.watch import RecordingWatch
from recording_insights.agora.storage import region_number


class RecordingInsightsStack(cdk.Stack):
    """One stage of Recording Insights.

    Raises `SettingsInvalid` for a region that Agora cannot write to, and for settings that cannot be deployed.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StackSettings, **kwargs: Any) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Agora recordings become insights in DynamoDB",
            termination_protection=settings.protects_data,
            **kwargs,
        )
        self.settings = settings
        if not cdk.Token.is_unresolved(self.region):
            region_number(self.region)  # refuses a region that Agora cannot write to
        settings.check_region(None if cdk.Token.is_unresolved(self.region) else self.region)
        self.buckets = buckets = Buckets(self, "Buckets", settings)
        self.table = table = InsightsTable(self, "Insights", settings)
        foundation = Foundation(self, settings, buckets, table)
        self.watch = RecordingWatch(self, "Watch", foundation)
        self.api = RecordingsApi(self, "Recordings", foundation, self.watch.state_machine)
        AgoraNotifications(self, "Notifications", foundation, self.api)
        self.webhooks = webhooks = Webhooks(self, "Webhooks", foundation, self.api)
        self.workflow = ProcessingWorkflow(self, "Processing", foundation, webhooks)
        self.watch.recover_with(self.workflow.state_machine)
        self.events = Events(self, "Events", foundation)
        self.derivation = self._derivation(foundation)
        derives = self.derivation.state_machine if self.derivation else None
        self.erases = erases = Erases(self, "Erases", foundation, self.workflow.state_machine, derives)
        self.erase_route = self.api.add_route(erases.route(foundation), settings)
        self.arrival = RecordingArrival(self, "Arrival", foundation, self.workflow.state_machine, erases.state_machine)
        webhooks.receive(self.workflow.state_machine, erases.state_machine, self.arrival.dead_letters)
        self.retries = Retries(self, "Retries", foundation, self.workflow.state_machine)
        others = [self.watch.state_machine, self.retries.state_machine, erases.state_machine]
        StoppedExecutions(
            self, "Stopped", foundation, self.workflow.state_machine, others, self.arrival.dead_letters, derives
        )
        self.retry_routes = {
            route.module: self.api.add_route(route, settings)
            for route in retry_routes(
                foundation, self.workflow.state_machine, self.retries.state_machine, erases.state_machine
            )
        }
        for route in provider_routes(foundation, self.workflow.state_machine, derives):
            self.api.add_route(route, settings)
        self.subscriptions = Subscriptions(self, "Subscriptions", foundation, self.events.bus)
        for route in self.subscriptions.routes():
            self.api.add_route(route, settings)
        self.sweep = Sweep(
            self,
            "Sweep",
            foundation,
            self.workflow.state_machine,
            erases.state_machine,
            self.arrival,
            self.derivation,
        )
        watched = Watched(
            unadmitted=self.arrival.unadmitted.queue_name,
            dead_letters=self.arrival.dead_letters.queue_name,
            undelivered=self.subscriptions.undelivered.queue_name,
            unpublished=self.events.dead_letters.queue_name,
            publish=self.events.publish.function.function_name,
            sweep=self.sweep.function.function.function_name,
            erase=erases.page.function.function_name,
            api_id=self.api.api.api_id,
            workflow_arn=self.workflow.state_machine.state_machine_arn,
            watch_arn=self.watch.state_machine.state_machine_arn,
            table=table.table.table_name,
            underived=self.derivation.dead_letters.queue_name if self.derivation else None,
        )
        self.monitoring = Monitoring(self, "Monitoring", settings, watched)

        for name, value in {
            "RecordingsBucketName": buckets.recordings.bucket_name,
            "RepliesBucketName": buckets.replies.bucket_name,
            "InsightsTableName": table.table.table_name,
            "WorkflowArn": self.workflow.state_machine.state_machine_arn,
            "WatchArn": self.watch.state_machine.state_machine_arn,
            "ErasesArn": erases.state_machine.state_machine_arn,
            "RetriesArn": self.retries.state_machine.state_machine_arn,
            "ApiId": self.api.api.api_id,
            "ApiUrl": self.api.own_address,
            "WebhookUrl": webhooks.url,
            "AgoraUploaderName": buckets.uploader.user_name,
            "ArrivalsUrl": self.arrival.queue.queue_url,
            "ArrivalsArn": self.arrival.queue.queue_arn,
            "UnadmittedArrivalsArn": self.arrival.unadmitted.queue_arn,
            "DeadLettersUrl": self.arrival.dead_letters.queue_url,
            "EventBusName": self.events.bus.event_bus_name,
            "NoticesArn": self.subscriptions.events.queue_arn,
            "UndeliveredArn": self.subscriptions.undelivered.queue_arn,
            "UnpublishedDeadLettersArn": self.events.dead_letters.queue_arn,
            "SweepFunctionName": self.sweep.function.function.function_name,
            "IgnoredObjectsLogGroup": self.arrival.ignored.log_group_name,
            "AlarmsTopicArn": self.monitoring.topic.topic_arn,
            "Providers": ",".join(settings.providers),
            "ReadsOldSecrets": str(settings.read_old_secrets).lower(),
            **webhooks.outputs(),
            **self._outputs_of_model(),
        }.items():
            cdk.CfnOutput(self, name, value=value)
        metadata = metadata_of(settings)
        self.add_metadata(KEY, metadata)
        self.monitoring.topic.node.default_child.add_metadata(KEY, digest_of(metadata))
        cdk.Tags.of(self).add("project", "recording-insights")
        cdk.Tags.of(self).add("stage", settings.stage)

    def _derivation(self, foundation: Foundation) -> Derivation | None:
        """What a model derives from transcripts; None if the stage has no model."""
        model = self.settings.insights_model
        if model is None:
            return None
        return Derivation(self, "Derivation", foundation, self.events.bus, ModelName.of(model))

    def _outputs_of_model(self) -> dict[str, str]:
        if self.derivation is None:
            return {}
        return {
            "DerivationArn": self.derivation.state_machine.state_machine_arn,
            "TranscriptsArn": self.derivation.queue.queue_arn,
            "UnderivedArn": self.derivation.dead_letters.queue_arn,
        }
