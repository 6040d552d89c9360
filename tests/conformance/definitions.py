"""The definitions of the state machines, as the stack has them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recording_insights.providers.registry import PROVIDERS

if TYPE_CHECKING:
    from infra.stack import RecordingInsightsStack


MODEL = "amazon.nova-lite-v1:0"


def make_stack(folder: Path) -> "RecordingInsightsStack":
    """Make the stack's constructs, with a folder for what CDK writes."""
    import aws_cdk as cdk

    from infra.settings import StackSettings
    from infra.stack import RecordingInsightsStack

    app = cdk.App(outdir=str(folder), context={"aws:cdk:bundling-stacks": []})
    settings = StackSettings.from_context({"stage": "dev", "provider": next(iter(PROVIDERS)), "insightsModel": MODEL})
    return RecordingInsightsStack(app, "Stack", settings=settings)


def definition_of(stack: "RecordingInsightsStack", state_machine: Any) -> Mapping[str, Any]:
    """Return the definition of a state machine. References to other resources are the text "token"."""
    # The constructs alone: a synth of the whole stack takes twice as long.
    text = stack.resolve(state_machine.node.default_child.definition_string)["Fn::Join"][1]
    definition: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "token" for part in text))
    return definition
