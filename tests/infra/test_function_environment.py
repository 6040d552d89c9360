"""Settings reach the functions: in an environment that Lambda accepts, or in a file of the package."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra.bundling.packages import RUNTIME, shared_code
from infra.function_environment import LARGEST_ENVIRONMENT, LONGEST_VALUE, function_environment
from infra.settings import StackSettings
from recording_insights.errors import SettingsInvalid
from recording_insights.settings import STAGE_SETTINGS_FILE, StageSettings, SubmitRecordingSettings, TableSettings
from tests.infra.conftest import LONG_LISTS, PREFIXES, WORDS, RunApp

LONG_URL = f"https://symbl.example.org/{'a' * 4000}"


def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Functions by the module that they run."""
    found = (r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function")
    return {function["Handler"].split(".")[1]: function for function in found}


def test_long_lists_do_not_reach_the_environment(every_setting: dict[str, Any]) -> None:
    for function in functions(every_setting).values():
        variables = function["Environment"]["Variables"]
        assert len(json.dumps(variables)) < LARGEST_ENVIRONMENT / 2
        assert WORDS[0] not in json.dumps(variables)


def package_of(folder: Path, settings: StackSettings, context: Any = None) -> tuple[cdk.Stack, str]:
    """A stack of one function, and the key of its package."""
    stack = cdk.Stack(cdk.App(outdir=str(folder), context=context), "Stack")
    function = cdk.aws_lambda.Function(
        stack,
        "Function",
        code=shared_code(settings),
        handler="states.submit_recording.handler",
        runtime=RUNTIME,
    )
    return stack, str(stack.resolve(function.node.default_child.code)["s3Key"])


def test_long_lists_lie_in_the_package(tmp_path: Path) -> None:
    package_of(tmp_path, StackSettings.from_context({"stage": "dev", "provider": "symbl", **LONG_LISTS}))
    [package] = [path for path in tmp_path.glob("asset.*") if path.is_dir()]

    assert (package / "wiring.py").is_file()
    assert StageSettings.from_file(package / STAGE_SETTINGS_FILE) == StageSettings(
        {"symbl": {"custom_vocabulary": WORDS}}, PREFIXES
    )


def test_a_change_of_the_lists_is_another_package(tmp_path: Path) -> None:
    def key(name: str, **settings: Any) -> str:
        context: dict[str, Any] = {"aws:cdk:bundling-stacks": []}
        return package_of(tmp_path / name, StackSettings("dev", "symbl", **settings), context)[1]

    none, again = key("none"), key("again")
    options = key("options", provider_options={"symbl": {"custom_vocabulary": ["Agora"]}})
    prefixes = key("prefixes", prefix_providers={"interviews/": ["deepgram"]})
    assert none == again
    assert len({none, options, prefixes}) == 3


def test_all_functions_but_one_share_a_package(template: dict[str, Any]) -> None:
    keys = {module: function["Code"]["S3Key"] for module, function in functions(template).items()}
    alone = keys.pop("prepare_media")
    assert len(set(keys.values())) == 1
    assert alone not in keys.values()


def submit_settings(**changes: Any) -> SubmitRecordingSettings:
    values: dict[str, Any] = {
        "table_name": "${Token[TOKEN.1]}",
        "replies_bucket": "${Token[TOKEN.22]}",
        "stage": "dev",
        "base_urls": {},
        "webhook_secret": "${Token[TOKEN.333]}",
        "failover": [],
        "failover_minutes": 15,
        "give_up_hours": 72,
        "queue_days": 14,
        "slots": {},
        "poll_ceiling_minutes": 240,
        "link_minutes": 60,
        "webhook_url": "${Token[TOKEN.4]}",
    }
    return SubmitRecordingSettings(**{**values, **changes})


def test_the_environment_is_the_settings_and_the_level_of_the_log() -> None:
    settings = submit_settings()
    of_powertools = {"POWERTOOLS_LOG_LEVEL": "INFO", "POWERTOOLS_METRICS_NAMESPACE": "RecordingInsights/dev"}
    variables = function_environment("submit_recording", settings, stage="dev")
    assert variables == {**settings.to_env(), **of_powertools}


@pytest.mark.parametrize(("name", "room"), [("insights", LARGEST_ENVIRONMENT), ("${Token[T.1]}", LONGEST_VALUE)])
def test_the_limit_is_exact_and_tokens_count_as_their_longest_value(name: str, room: int) -> None:
    frame = '{"TABLE_NAME":"","POWERTOOLS_LOG_LEVEL":"INFO","POWERTOOLS_METRICS_NAMESPACE":"RecordingInsights/dev"}'
    filling = "ü" * ((LARGEST_ENVIRONMENT - len(frame) - (len(name) if room == LARGEST_ENVIRONMENT else room)) // 2)
    for longer, refused in (("", False), ("xx", True)):
        if refused:
            with pytest.raises(SettingsInvalid, match="list_recordings: its environment has"):
                function_environment("list_recordings", TableSettings(name + filling + longer), stage="dev")
        else:
            function_environment("list_recordings", TableSettings(name + filling), stage="dev")


def test_a_refusal_names_the_function_the_bytes_and_what_to_shorten() -> None:
    with pytest.raises(SettingsInvalid) as raised:
        function_environment("submit_recording", submit_settings(base_urls={"symbl": LONG_URL}), stage="dev")
    assert str(raised.value) == (
        "submit_recording: its environment has 5396 bytes, Lambda allows 4096; the largest variable is BASE_URLS with "
        "4059 bytes: shorten the <vendor>BaseUrl settings"
    )


def test_a_synth_refuses_what_cannot_be_deployed_in_one_line(run_app: RunApp) -> None:
    with pytest.raises(SystemExit) as ended:
        run_app({"provider": "symbl", "symblBaseUrl": LONG_URL})
    heading, refusal = str(ended.value.code).splitlines()
    assert heading.startswith("The stack's settings are wrong")
    assert "BASE_URLS" in refusal
    assert "bytes, Lambda allows 4096" in refusal
