"""The file of a stage: what it may hold, what is said of a wrong one, and where it stands between -c and cdk.json."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.settings import SETTINGS, ContextError, StackSettings
from infra.stack_metadata import KEY, digest_of, project_version
from infra.stage_file import STAGES, StageFile, context_of, merged_context, read_stage_file
from lint_cloud.templates import EVERY_SETTING
from tests.infra.conftest import LONG_LISTS, RunApp

PLACE = 'account = "111122223333"\nregion = "eu-central-1"\n'
PLAIN = f'{PLACE}[settings]\nprovider = "transcribe"\n'
EXAMPLE = STAGES / "example.toml"
COMMENTED = re.compile(r"^# (?=[A-Za-z]+ = )", re.MULTILINE)


def faults_of(folder: Path, text: str, stage: str = "prod") -> list[str]:
    (folder / f"{stage}.toml").write_text(text)
    with pytest.raises(ContextError) as raised:
        read_stage_file(folder, stage)
    return str(raised.value).splitlines()


def test_a_file_has_the_types_of_toml(tmp_path: Path) -> None:
    settings = 'failover = ["symbl"]\nlinkMinutes = 90\nretainData = false\n[settings.throttles]\nwrite = 5\n'
    (tmp_path / "prod.toml").write_text(PLAIN + settings)

    file = read_stage_file(tmp_path, "prod")
    assert file == StageFile(
        "prod",
        "111122223333",
        "eu-central-1",
        {
            "provider": "transcribe",
            "failover": ["symbl"],
            "linkMinutes": 90,
            "retainData": False,
            "throttles": {"write": 5},
        },
    )
    assert file.name == "stages/prod.toml"


@pytest.mark.parametrize("stage", ["dev", "../prod", "Prod", "local"])
def test_a_stage_may_have_no_file(tmp_path: Path, stage: str) -> None:
    (tmp_path / "prod.toml").write_text(PLAIN)
    (tmp_path / "stages").mkdir()
    assert read_stage_file(tmp_path / "stages", stage) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("account = ", "is no TOML: "),
        (PLAIN.replace('"111122223333"', "111122223333"), "account: 111122223333 is not allowed; 12 digits in quotes"),
        (PLAIN.replace("111122223333", "1111-2222-3333"), "account: '1111-2222-3333' is not allowed; 12 digits"),
        (PLAIN.replace("eu-central-1", "Frankfurt"), "region: 'Frankfurt' is not allowed; a region of AWS"),
        ('account = "111122223333"\n', "region: None is not allowed"),
        (f"linkMinutes = 60\n{PLAIN}", "linkMinutes: unknown here; put it below [settings]"),
        (f"owner = 1\n{PLAIN}", "owner: unknown here; the keys are account, region, settings"),
        (f"settings = 5\n{PLACE}", "settings: must be a table"),
        (f"{PLAIN}linkMinute = 60", "linkMinute: unknown; the settings are stage, provider, "),
        (f"{PLAIN}submitCeilingMinutes = 60", "submitCeilingMinutes: is now giveUpHours"),
        (f'{PLAIN}stage = "prod"', "stage: the name of the file says it"),
        (f'{PLAIN}linkMinutes = "60"', "linkMinutes: '60' has the wrong type; write a whole number without quotes"),
        (f"{PLAIN}linkMinutes = 60.0", "linkMinutes: 60.0 has the wrong type; write a whole number"),
        (f"{PLAIN}linkMinutes = true", "linkMinutes: True has the wrong type"),
        (f'{PLAIN}retainData = "false"', "retainData: 'false' has the wrong type; write true or false"),
        (f'{PLAIN}failover = "symbl"', "failover: 'symbl' has the wrong type; write a list such as"),
        (f"{PLAIN}throttles = '{{\"write\": 5}}'", "throttles: '{\"write\": 5}' has the wrong type; write a table"),
        (f"{PLAIN}symblSlots = true", "symblSlots: True has the wrong type; write a whole number without quotes or a"),
        (f"{PLAIN}linkMinutes = 1", "linkMinutes: 1 is not allowed; a whole number from 20 to 720"),
        (
            f'{PLAIN}alarmWebhook = "http://events.example.com/key"',
            "alarmWebhook: 'http://events.example.com/…' is not",
        ),
        (f'{PLAIN}failover = ["gladia"]', "failover: ['gladia'] is not allowed; names out of"),
        (f"{PLAIN}jwtAudience = 2026-11-28", "jwtAudience: datetime.date(2026, 11, 28) has the wrong type"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_key(tmp_path: Path, text: str, fault: str) -> None:
    [line] = faults_of(tmp_path, text)
    assert line.startswith(f"stages/prod.toml: {fault}")


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, 'region = 1\n[settings]\nlinkMinutes = "60"\nretain = true\n')
    assert [fault.split(": ")[1] for fault in faults] == ["account", "region", "linkMinutes", "retain"]


def test_the_local_stage_has_no_file(tmp_path: Path) -> None:
    [fault] = faults_of(tmp_path, PLAIN, "local")
    assert fault.startswith('stages/local.toml: the stage local has no file: give its settings as `make up CONTEXT="')


@pytest.mark.parametrize(
    ("key", "values", "text"),
    [
        ("retainData", [True, "true", "TRUE"], "true"),
        ("otherProviders", [["symbl", "deepgram"], "symbl,deepgram", "symbl, deepgram"], "symbl,deepgram"),
        ("insightsPricePerMillionTokens", [[0.8, 4], [0.8, 4.0], "0.8,4.0"], "0.8,4"),
        ("dailyBudget", [50, 50.0, "50", "50.0"], "50"),
        ("dailyBudget", [12.5, "12.5"], "12.5"),
        ("symblSlots", [7, "7"], "7"),
        ("symblSlots", ["none"], "none"),
        ("jwtScopes", [True, "true"], "true"),
        ("jwtScopes", [{"read": "see"}, '{"read":"see"}'], '{"read": "see"}'),
        ("throttles", [{"write": 5, "read": 1}, '{"write": 5,"read": 1}'], '{"read": 1, "write": 5}'),
        ("linkMinutes", ["soon"], "soon"),
    ],
)
def test_a_setting_has_one_text_however_it_was_given(key: str, values: list[Any], text: str) -> None:
    assert [context_of({key: value})[key] for value in values] == [text] * len(values)


@pytest.mark.parametrize("settings", [EVERY_SETTING, LONG_LISTS], ids=["every setting", "long lists"])
def test_the_texts_mean_the_same(settings: dict[str, str]) -> None:
    given = {"stage": "dev", "provider": "symbl", **settings}
    assert StackSettings.from_context(context_of(given)) == StackSettings.from_context(given)


def test_the_file_stands_between_what_is_typed_and_cdk_json() -> None:
    file = StageFile("prod", "111122223333", "eu-central-1", {"linkMinutes": 60, "queueDays": 3, "giveUpHours": 5})
    cdk_json = {"linkMinutes": 30, "sweepMinutes": 30, "@aws-cdk/x": True}
    cdk = {**cdk_json, "stage": "prod", "queueDays": "4"}

    assert merged_context(cdk, None, cdk_json) == cdk
    assert merged_context(cdk, file, cdk_json) == {
        "stage": "prod",
        "linkMinutes": 60,
        "sweepMinutes": 30,
        "queueDays": "4",
        "giveUpHours": 5,
        "@aws-cdk/x": True,
    }


def test_a_stage_with_a_file_is_synthesised_for_its_place_and_notes_its_settings(
    run_app: RunApp, tmp_path: Path
) -> None:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "dev.toml").write_text(f"{PLAIN}linkMinutes = 60\nthrottles = {{write = 5}}\n")
    elsewhere = {"CDK_DEFAULT_ACCOUNT": "444455556666", "CDK_DEFAULT_REGION": "us-east-1"}

    text = run_app({"linkMinutes": "90"}, **elsewhere)
    template = json.loads(text)

    assert ":eu-central-1:111122223333:" in text
    assert "444455556666" not in text
    assert template["Metadata"][KEY] == {
        "version": project_version(),
        "settings": {"linkMinutes": "90", "provider": "transcribe", "throttles": '{"write": 5}'},
    }
    # CloudFormation updates the metadata of a template only together with a resource.
    digests = [resource["Metadata"].get(KEY) for resource in template["Resources"].values() if "Metadata" in resource]
    assert [digest for digest in digests if digest] == [digest_of(template["Metadata"][KEY])]


def test_a_wrong_file_ends_the_synth(run_app: RunApp, tmp_path: Path) -> None:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "dev.toml").write_text(f"{PLAIN}linkMinutes = 1\n")
    with pytest.raises(SystemExit, match=r"stages/dev\.toml: linkMinutes: 1 is not allowed"):
        run_app({})


def test_the_example_is_a_file_of_a_stage() -> None:
    file = read_stage_file(STAGES, "example")
    assert file is not None
    assert set(file.settings) == {"provider"}
    StackSettings.from_context({"stage": "example", **file.settings})


def test_the_example_shows_every_setting_and_each_is_valid(tmp_path: Path) -> None:
    (tmp_path / "example.toml").write_text(COMMENTED.sub("", EXAMPLE.read_text()))
    file = read_stage_file(tmp_path, "example")
    assert file is not None
    StackSettings.from_context({"stage": "example", **file.settings}).check_region(file.region)
    # Those of a vendor are shown once: options, slots and base URL.
    wanted = {key for key, setting in SETTINGS.items() if setting.vendor in (None, "agora", "bedrock", "deepgram")}
    assert set(file.settings) == wanted - {"stage"}
