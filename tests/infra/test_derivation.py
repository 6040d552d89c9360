"""What a stage with a model has more than one without: a queue, two functions, a state machine, and their rights."""

import json
from typing import Any

import aws_cdk as cdk
import pytest

from infra.model_name import ModelName
from infra.model_rights import guardrail_rights, model_rights
from infra.settings import ContextError, StackSettings
from recording_insights.aws.model_client import READ_SECONDS
from recording_insights.derive.derive_insights import TIMEOUT_SECONDS
from recording_insights.model.derived import BEDROCK, KINDS
from recording_insights.upkeep.erase_page import LONG_QUIET_SECONDS
from tests.infra.conftest import MODEL
from tests.infra.test_stack import functions, listed, of_type, statements_of

Template = dict[str, Any]
PLACE = {"partition": "aws", "region": "eu-central-1", "account": "111122223333"}
PROFILE = "arn:aws:bedrock:eu-central-1:111122223333:inference-profile/eu.amazon.nova-lite-v1:0"
OWN = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/a1b2c3d4e5f6"


def machine_of(template: Template) -> Template:
    [(_, machine)] = [
        each for each in of_type(template, "AWS::StepFunctions::StateMachine") if each[0].startswith("Derivation")
    ]
    parts = machine["DefinitionString"]["Fn::Join"][1]
    definition: Template = json.loads("".join(part if isinstance(part, str) else "token" for part in parts))
    return definition


def test_a_stage_without_a_model_has_nothing_of_it(template: Template) -> None:
    text = json.dumps(template)
    assert not [name for name in template["Resources"] if name.startswith("Derivation")]
    for word in ("bedrock", "INSIGHTS_MODEL", "TRANSCRIPTS_ARN", "DERIVATION_ARN", "derive_insights"):
        assert word not in text


def test_nobody_else_may_call_a_model(every_setting: Template) -> None:
    for module, function in functions(every_setting).items():
        rights = statements_of(every_setting, function["Role"]["Fn::GetAtt"][0])
        calls = [right for right in rights if "bedrock" in str(right["Action"])]
        assert bool(calls) == (module == "derive_insights"), module


@pytest.mark.parametrize("module", ["sweep", "erase_page", "report_stopped_execution", "update_provider"])
def test_who_hands_turns_over_may_wake_the_executions(every_setting: Template, module: str) -> None:
    role = functions(every_setting)[module]["Role"]["Fn::GetAtt"][0]
    wakes = [right for right in statements_of(every_setting, role) if right["Action"] == "states:SendTaskSuccess"]
    assert [right["Resource"]["Ref"][:10] for right in wakes] == ["Processing", "Derivation"]


def rights_of(setting: str) -> list[tuple[Any, Any]]:
    """(resources, condition) of each right that a model needs, in a stack in eu-central-1."""
    env = cdk.Environment(account=PLACE["account"], region=PLACE["region"])
    stack = cdk.Stack(cdk.App(), "Stack", env=env)
    found = [stack.resolve(right.to_statement_json()) for right in model_rights(stack, ModelName.of(setting))]
    assert {listed(right["Action"])[0] for right in found} == {"bedrock:InvokeModel"}
    text = json.dumps([(right["Resource"], right.get("Condition")) for right in found])
    for part in ('{"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, "', '"]]}'):
        text = text.replace(part, '"arn:aws' if part.startswith("{") else '"')
    read: list[tuple[Any, Any]] = json.loads(text)
    return [(resource, condition) for resource, condition in read]


def test_a_model_is_allowed_alone_and_in_the_region_of_the_stack() -> None:
    arn = "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-lite-v1:0"
    assert rights_of("amazon.nova-lite-v1:0") == [(arn, None)]
    assert rights_of(arn) == [(arn, None)]


def test_a_profile_may_call_its_models_and_no_other_way_may() -> None:
    through = {"StringEquals": {"bedrock:InferenceProfileArn": PROFILE}}
    models = "arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0"
    for setting in ("eu.amazon.nova-lite-v1:0", PROFILE):
        assert rights_of(setting) == [(PROFILE, None), (models, through)]


def test_a_global_profile_calls_models_of_no_region_too() -> None:
    [_, (models, _)] = rights_of("global.amazon.nova-2-lite-v1:0")
    assert [arn.split(":")[3] for arn in models] == ["*", ""]
    assert all(arn.endswith("/amazon.nova-2-lite-v1:0") for arn in models)


def test_an_application_profile_does_not_name_its_model() -> None:
    through = {"StringEquals": {"bedrock:InferenceProfileArn": OWN}}
    assert rights_of(OWN) == [(OWN, None), ("arn:aws:bedrock:*::foundation-model/*", through)]


def test_a_guardrail_is_allowed_by_its_id() -> None:
    right = guardrail_rights(cdk.Stack(cdk.App(), "Stack"), "gr4v1d3x:3").to_statement_json()
    assert right["Action"] == "bedrock:ApplyGuardrail"


def test_transcripts_that_are_ready_go_to_a_queue_with_dead_letters(every_setting: Template) -> None:
    queues = {name: queue for name, queue in of_type(every_setting, "AWS::SQS::Queue") if name.startswith("Derivation")}
    [rule] = [rule for name, rule in of_type(every_setting, "AWS::Events::Rule") if name.startswith("Derivation")]
    assert rule["EventPattern"] == {"source": ["recording-insights"], "detail-type": ["transcript.ready"]}
    assert rule["EventBusName"]["Ref"].startswith("EventsBus")
    [(dead, _)] = [each for each in queues.items() if "RedrivePolicy" not in each[1]]
    [(queue, properties)] = [each for each in queues.items() if "RedrivePolicy" in each[1]]
    assert properties["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [dead, "Arn"]}
    assert rule["Targets"][0]["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert rule["Targets"][0]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [dead, "Arn"]}}
    sweep = functions(every_setting)["sweep"]["Environment"]["Variables"]
    assert sweep["TRANSCRIPTS_ARN"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert sweep["UNDERIVED_URL"] == {"Ref": dead}
    alarms = {alarm["AlarmName"] for _, alarm in of_type(every_setting, "AWS::CloudWatch::Alarm")}
    assert {f"recording-insights-dev-{name}" for name in ("dead-letters-transcripts", "provider-away-bedrock")} < alarms


def test_the_loop_has_no_wait_but_for_turns_and_repairs(every_setting: Template) -> None:
    definition = machine_of(every_setting)
    states = definition["States"]
    names = {"Derive insights", "More to derive?", "Await turn", "Wait for repair", "Derived"}
    assert (definition["StartAt"], set(states)) == ("Derive insights", {*names, "Wait after unknown outcome"})
    choice = states["More to derive?"]
    assert [(branch["Condition"], branch["Next"]) for branch in choice["Choices"]] == [
        ("{% $states.input.outcome = 'more' %}", "Derive insights"),
        ("{% $states.input.outcome = 'parked' %}", "Await turn"),
        ("{% $states.input.outcome = 'over' %}", "Derived"),
    ]
    assert choice["Default"] == "Wait after unknown outcome"
    derive = states["Derive insights"]
    assert derive["TimeoutSeconds"] == TIMEOUT_SECONDS + 30 > READ_SECONDS
    assert [retry["ErrorEquals"] for retry in derive["Retry"]] == [
        ["Lambda.TooManyRequestsException"],
        ["States.ALL"],
    ]
    [caught] = derive["Catch"]
    assert (caught["ErrorEquals"], caught["Next"], caught["Output"]) == (
        ["States.ALL"],
        "Wait for repair",
        "{% $states.input %}",
    )
    assert states["Wait for repair"] == {"Type": "Wait", "Seconds": 600, "Next": "Derive insights"}
    turn = states["Await turn"]
    assert (turn["TimeoutSeconds"], turn["Next"]) == ("{% $states.input.wait_seconds %}", "Derive insights")
    assert [(catch["ErrorEquals"], catch["Next"]) for catch in turn["Catch"]] == [
        (["States.Timeout"], "Derive insights"),
        (["States.ALL"], "Derive insights"),
    ]
    assert definition["TimeoutSeconds"] == (14 * 24 + 72 + 24) * 3600
    assert TIMEOUT_SECONDS < LONG_QUIET_SECONDS, "an erase waits for what a call may still write"


def test_the_function_knows_what_the_stage_wants(every_setting: Template) -> None:
    begin = functions(every_setting)["begin_derivation"]["Environment"]["Variables"]
    wanted = {name: begin[name] for name in begin if name.startswith("INSIGHTS_")}
    assert wanted == {
        "INSIGHTS_MODEL": MODEL["insightsModel"],
        "INSIGHTS_KINDS": '["summary", "decisions"]',
        "INSIGHTS_LANGUAGE": "de",
        "INSIGHTS_GUARDRAIL": "gr4v1d3x:3",
        "INSIGHTS_MAX_CENTS": "20.0",
        "INSIGHTS_PRICE": "[0.06, 0.24]",
    }, "the prompt travels in a file of the package"
    slots = json.loads(functions(every_setting)["derive_insights"]["Environment"]["Variables"]["SLOTS"])
    assert slots[BEDROCK] == 7


def faults_of(**context: str) -> list[str]:
    with pytest.raises(ContextError) as raised:
        StackSettings.from_context({"stage": "dev", "provider": "deepgram", **context})
    return str(raised.value).splitlines()


def test_settings_of_the_model_need_a_model() -> None:
    faults = faults_of(insightsKinds="summary", bedrockSlots="3")
    assert faults == ["insightsKinds: only with insightsModel", "bedrockSlots: only with insightsModel"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("insightsModel", "Claude, please"),
        ("insightsModel", "arn:aws:lambda:eu-central-1:111122223333:function:x"),
        ("insightsKinds", "summary,mood"),
        ("insightsKinds", "summary,summary"),
        ("insightsLanguage", "German"),
        ("insightsPrompt", "x" * 8001),
        ("insightsMaxCents", "0"),
        ("insightsPricePerMillionTokens", "0.8"),
        ("insightsPricePerMillionTokens", "a,b"),
        ("insightsPricePerMillionTokens", "1,-1"),
        ("insightsGuardrail", "gr4v1d3x"),
        ("bedrockSlots", "none"),
    ],
)
def test_a_wrong_value_is_refused(key: str, value: str) -> None:
    [fault] = faults_of(**{"insightsModel": "amazon.nova-lite-v1:0", key: value})
    assert fault.startswith(f"{key}: ")


@pytest.mark.parametrize(
    ("model", "fits"),
    [
        ("amazon.nova-lite-v1:0", True),
        ("eu.amazon.nova-lite-v1:0", True),
        ("us.amazon.nova-lite-v1:0", False),
        ("global.amazon.nova-2-lite-v1:0", False),
        (OWN, False),
    ],
)
def test_no_profile_takes_transcripts_out_of_the_residency(model: str, fits: bool) -> None:
    context = {"stage": "prod", "provider": "deepgram", "residency": "EU", "insightsModel": model}
    if fits:
        assert StackSettings.from_context(context).insights_model == model
    else:
        [fault] = faults_of(**context)
        assert fault.startswith("insightsModel: the regions of")


def test_every_kind_may_be_wanted() -> None:
    context = {"stage": "dev", "provider": "deepgram", "insightsModel": OWN, "insightsKinds": ",".join(KINDS)}
    assert StackSettings.from_context(context).insights_kinds == list(KINDS)
