"""The synthesised stack, once per stage; without bundling, so that no test needs the network."""

import json
import runpy
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra import stage_file
from infra.nag import add_security_checks
from infra.settings import StackSettings
from infra.stack import RecordingInsightsStack
from recording_insights.providers.registry import PROVIDERS
from sandbox.cloud.location import PROJECT


def synthesise(folder: Path, context: dict[str, Any]) -> dict[str, Any]:
    """The template of a stage, with the security checks run as in a real synth.

    Secrets of earlier releases are not read, unless the context says so.
    """
    app = cdk.App(outdir=str(folder), context={"aws:cdk:bundling-stacks": []})
    settings = StackSettings.from_context({"readOldSecrets": "false", **context})
    stack = RecordingInsightsStack(app, "Stack", settings=settings)
    add_security_checks(app, stack)
    app.synth()
    template: dict[str, Any] = json.loads((folder / "Stack.template.json").read_text())
    return template


WORDS = [f"a phrase of our own, number {number}" for number in range(500)]
PREFIXES = {f"customers/{number}/interviews/": ["deepgram", "symbl"] for number in range(100)}
LONG_LISTS = {
    "symblOptions": json.dumps({"custom_vocabulary": WORDS}),
    "prefixProviders": json.dumps({prefix: ",".join(names) for prefix, names in PREFIXES.items()}),
}
ALARMS = {"alarmEmail": "on-call@example.com", "alarmWebhook": "https://events.example.com/1", "dailyBudget": "50"}
JWT = {"jwtIssuer": "https://issuer.example.com/", "jwtAudience": "recordings-app"}
DOOR = {"jwtScopes": '{"read": "api/see"}', "corsOrigins": "https://app.example.com", "throttles": '{"write": 5}'}
MODEL = {
    "insightsModel": "eu.amazon.nova-lite-v1:0",
    "insightsKinds": "summary,decisions",
    "insightsLanguage": "de",
    "insightsPrompt": WORDS[0] + " and so on" * 700,
    "insightsMaxCents": "20",
    "insightsPricePerMillionTokens": "0.06,0.24",
    "insightsGuardrail": "gr4v1d3x:3",
    "bedrockSlots": "7",
}
EVERY_PROVIDER = {"provider": "assemblyai", "otherProviders": ",".join(PROVIDERS)}


@cache
def template_with_every_provider() -> dict[str, Any]:
    """A stage with all providers and a model. It is synthesised once for tests/infra and tests/docs."""
    with tempfile.TemporaryDirectory() as folder:
        return synthesise(Path(folder), {"stage": "dev", **EVERY_PROVIDER, **MODEL})


@pytest.fixture(scope="session")
def every_provider() -> dict[str, Any]:
    """A stage on AWS that all providers can be chosen in, with a model."""
    return template_with_every_provider()


@pytest.fixture(scope="session")
def every_setting(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A stage on AWS with all providers, a model, JWT, pages, alarms, and texts that no environment holds."""
    context = {"stage": "dev", **EVERY_PROVIDER, **LONG_LISTS, **JWT, **DOOR, **ALARMS, **MODEL}
    return synthesise(tmp_path_factory.mktemp("every"), context)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A stage on AWS with one provider, which does not call back."""
    return synthesise(tmp_path_factory.mktemp("dev"), {"stage": "dev", "provider": "marsview"})


@pytest.fixture(scope="session")
def local_template(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The stage on a laptop."""
    return synthesise(tmp_path_factory.mktemp("local"), {"stage": "local", "provider": "marsview"})


RunApp = Callable[..., str]


@pytest.fixture
def run_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunApp:
    """Runs app.py with a context, and with the variables that the CDK CLI sets; returns the text of the template.

    The files of stages are in the folder `stages` of `tmp_path`.

    It runs in this process, because another one would start a kernel of CDK of its own. The deployed tests show that
    it runs in a process.
    """

    def run(context: dict[str, Any], **variables: str) -> str:
        for name in ("CDK_DEFAULT_ACCOUNT", "CDK_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "path", sys.path[:])
        monkeypatch.setattr(stage_file, "STAGES", tmp_path / "stages")
        context = {"stage": "dev", "aws:cdk:bundling-stacks": [], **context}
        monkeypatch.setattr(cdk, "App", partial(cdk.App, outdir=str(tmp_path), context=context))
        runpy.run_path(str(PROJECT / "app.py"))
        return (tmp_path / "RecordingInsights-dev.template.json").read_text()

    return run
