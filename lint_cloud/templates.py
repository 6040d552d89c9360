"""The templates that are checked: the local stack, a stage with every setting, and a plain stage."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from infra.settings import VENDORS, StackSettings
from infra.stack import RecordingInsightsStack
from recording_insights.providers.registry import PROVIDERS
from sandbox.cloud.context import full_context
from sandbox.cloud.location import Location

EVERY_SETTING: Mapping[str, str] = {
    "stage": "dev",
    "provider": "assemblyai",
    "otherProviders": ",".join(PROVIDERS),
    "prefixProviders": json.dumps({"interviews/": "deepgram,symbl"}),
    "failover": "deepgram,transcribe",
    "failoverMinutes": "20",
    "giveUpHours": "48",
    "queueDays": "7",
    "pollCeilingMinutes": "480",
    "mostTracksPerRecording": "20",
    "mostMinutesPerRecording": "600",
    "mostJobsPerRecording": "40",
    "mostJobsPerDay": "500",
    "lateFilesMinutes": "90",
    "sweepMinutes": "30",
    "retriesPerMinute": "30",
    "callbackWaitSeconds": "600",
    "resultConcurrency": "5",
    "webhookBaseUrl": "https://recordings.example.com",
    "disableExecuteApiEndpoint": "true",
    "linkMinutes": "90",
    "kmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "logRetentionDays": "365",
    "retainData": "false",
    "mediaDays": "30",
    "segmentsDays": "20",
    "repliesDays": "60",
    "insightsDays": "365",
    "readOldSecrets": "false",
    "alarmEmail": "on-call@example.com",
    "alarmWebhook": "https://events.example.com/integrations/recordings",
    "dailyBudget": "50",
    "jwtIssuer": "https://issuer.example.com/",
    "jwtAudience": "recordings-app",
    "jwtScopes": "true",
    "corsOrigins": "https://app.example.com,https://console.example.com",
    "throttles": json.dumps({"write": 5}),
    "insightsModel": "us.amazon.nova-lite-v1:0",
    "insightsKinds": "summary,action_items",
    "insightsLanguage": "de",
    "insightsPrompt": "We sell tables.",
    "insightsMaxCents": "20",
    "insightsPricePerMillionTokens": "0.06,0.24",
    "insightsGuardrail": "gr4v1d3x:3",
    "bedrockSlots": "3",
    **{f"{provider}Options": "{}" for provider in PROVIDERS},
    **{f"{provider}Slots": "10" for provider in PROVIDERS},
    **{f"{vendor}BaseUrl": f"https://{vendor}.example.com" for vendor in VENDORS},
}
CONTEXTS: Mapping[str, Mapping[str, str]] = {
    "local": full_context(Location(), {}),
    "every-setting": EVERY_SETTING,
    "plain": {"stage": "prod", "provider": "assemblyai"},
    # Apart from the others: it refuses most providers, and base URLs that vendors do not document.
    "residency": {"stage": "prod", "provider": "deepgram", "failover": "assemblyai,transcribe", "residency": "EU"},
}
"""The settings of each template, by its name."""


@dataclass(frozen=True)
class Template:
    """A synthesised template in a file. `machines` are the definitions of its state machines, by logical id."""

    name: str
    path: Path
    resources: Mapping[str, Any]

    @property
    def machines(self) -> dict[str, dict[str, Any]]:
        return {
            logical_id: definition_of(resource["Properties"]["DefinitionString"])
            for logical_id, resource in self.resources.items()
            if resource["Type"] == "AWS::StepFunctions::StateMachine"
        }

    def resource(self, logical_id: str) -> str:
        """Return `type.logical id`, as checkov names a resource."""
        return f"{self.resources[logical_id]['Type']}.{logical_id}"


def synthesise(name: str, folder: Path) -> Template:
    """Write a template of `CONTEXTS` to the folder, without the packages of its functions."""
    with tempfile.TemporaryDirectory() as assembly:
        app = cdk.App(outdir=assembly, context={"aws:cdk:bundling-stacks": []})
        settings = StackSettings.from_context(CONTEXTS[name])
        region = "eu-central-1" if settings.residency else None
        account = "111122223333" if region else None
        RecordingInsightsStack(app, "Stack", settings=settings, env=cdk.Environment(account=account, region=region))
        app.synth()
        resources = json.loads(Path(assembly, "Stack.template.json").read_text())
    return write(name, resources, folder)


def write(name: str, template: Mapping[str, Any], folder: Path) -> Template:
    path = folder / f"{name}.template.json"
    path.write_text(json.dumps(template, indent=1))
    return Template(name, path, template["Resources"])


def machines_alone(template: Template, folder: Path) -> Template:
    """Write a template with the state machines alone, their definitions as objects.

    cfn-lint reads no definition that is a text with intrinsic functions, as CDK writes it.
    """
    role = "arn:aws:iam::111122223333:role/machine"
    resources = {
        logical_id: {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"RoleArn": role, "Definition": definition},
        }
        for logical_id, definition in template.machines.items()
    }
    return write(f"{template.name}-machines", {"Resources": resources}, folder)


def definition_of(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition with samples in the place of intrinsic functions."""
    definition: dict[str, Any] = json.loads("".join(_samples(written["Fn::Join"][1])))
    return definition


def _samples(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif part == {"Ref": "AWS::Partition"}:
            yield "aws"
        elif "Fn::GetAtt" in part:
            yield f"arn:aws:lambda:eu-central-1:111122223333:function:{part['Fn::GetAtt'][0]}"
        else:
            yield part["Ref"]
