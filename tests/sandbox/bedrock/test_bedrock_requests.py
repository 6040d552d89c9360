"""Bedrock's Converse refuses what the service refuses, with its error types and messages."""

from copy import deepcopy
from typing import Any

import pytest

from sandbox.stand_ins.bedrock.schema_rules import MOST_OPTIONAL, MOST_UNIONS
from tests.sandbox.bedrock.converse import (
    HAIKU,
    LLAMA,
    NOVA,
    SCHEMA,
    SONNET,
    TEXT,
    assistant,
    converse,
    fault,
    forced,
    text_format,
    tool,
    user,
)
from tests.sandbox.conftest import StandIns


def an_object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


USE = {"toolUse": {"toolUseId": "t1", "name": "give_insights", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"text": "done"}]}}
CALLED = [user("go"), {"role": "assistant", "content": [USE]}, {"role": "user", "content": [RESULT]}]
ANY_OBJECT = {"type": "object"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"messages": []}, "A conversation must start with a user message."),
        ({"messages": None}, "A conversation must start with a user message."),
        ({"messages": [assistant("yes"), user("no")]}, "A conversation must start with a user message."),
        ({"messages": [user("a"), user("b")]}, "A conversation must alternate between user and assistant roles."),
        ({"messages": [user("a"), assistant("b")]}, "does not support assistant message prefill"),
        ({"messages": [{"role": "system", "content": [{"text": "a"}]}]}, "doesn't support the system role"),
        ({"messages": [{"role": "person", "content": []}]}, "Member must satisfy enum value set: [assistant, "),
        ({"messages": [{"role": "user", "content": []}]}, "The content field in the Message object at messages.0 is"),
        ({"messages": [user("a", " \n")]}, "ContentBlock object at messages.0.content.1 is blank."),
        ({"messages": [{"role": "user"}]}, "Value null at 'messages.1.member.content' failed to satisfy"),
        ({"messages": [{"role": "user", "content": [{"cachePoint": {"type": "default"}}]}]}, "not cachePoint"),
        ({"system": [{"text": ""}]}, "Member must have length greater than or equal to 1"),
        ({"colour": "blue"}, "extraneous key [colour] is not permitted"),
        ({"inferenceConfig": {"max_tokens": 1}}, "extraneous key [inferenceConfig.max_tokens] is not permitted"),
        ({"messages": [{"role": "user", "content": [{"text": "a", "cachePoint": {"type": "default"}}]}]}, "key ["),
        ({"inferenceConfig": {"maxTokens": 0}}, "Value '0' at 'inferenceConfig.maxTokens' failed to satisfy"),
        ({"inferenceConfig": {"maxTokens": 64001}}, "maximum tokens you requested exceeds the model limit of 64000."),
        ({"inferenceConfig": {"temperature": 1.5}}, "Member must have value less than or equal to 1"),
        ({"inferenceConfig": {"topP": -0.1}}, "Member must have value greater than or equal to 0"),
        ({"inferenceConfig": {"temperature": 0.5, "topP": 0.5}}, "`temperature` and `top_p` cannot both be specified"),
        ({"inferenceConfig": {"stopSequences": [" "]}}, "each stop sequence must contain non-whitespace"),
        ({"additionalModelRequestFields": {"top_k": 4}}, "top_k: Extra inputs are not permitted"),
        ({"promptVariables": {"a": {"text": "b"}}}, "promptVariables needs"),
        ({"performanceConfig": {"latency": "optimized"}}, "Latency performance configuration is not supported"),
        ({"serviceTier": {"type": "priority"}}, "The service tier is not supported"),
        ({"guardrailConfig": {"guardrailIdentifier": "abc"}}, "The guardrail identifier or version provided"),
    ],
)
def test_what_converse_refuses(shared_stand_ins: StandIns, changes: dict[str, Any], message: str) -> None:
    status, kind, said = fault(converse(shared_stand_ins, **changes))
    assert (status, kind) == (400, "ValidationException")
    assert message in said


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"tools": []}, "Value '[]' at 'toolConfig.tools' failed to satisfy"),
        ({"tools": [tool(ANY_OBJECT, name="give insights")]}, "regular expression pattern: [a-zA-Z0-9_-]+"),
        ({"tools": [tool(ANY_OBJECT, name="x" * 65)]}, "Member must have length less than or equal to 64"),
        ({"tools": [tool({})]}, "inputSchema.json.type must be one of the following: object."),
        ({"tools": [tool({"type": "object", "required": "a"})]}, "It must match JSON Schema draft 2020-12"),
        ({"tools": [tool({"type": "object", "properties": {"a": {"$ref": "#/x"}}})]}, "It must match JSON Schema"),
        ({"tools": [{"toolSpec": {"name": "a", "inputSchema": {}}}]}, "key [toolConfig.tools.0.toolSpec.inputSchema]"),
        ({"tools": [tool(ANY_OBJECT), tool(ANY_OBJECT)]}, "Tool names must be unique"),
        ({"tools": [{"systemTool": {"name": "search"}}]}, "has no systemTool"),
        (
            {"tools": [tool(ANY_OBJECT)], "toolChoice": {"tool": {"name": "other"}}},
            "Tool 'other' not found in provided",
        ),
        ({"tools": [tool(ANY_OBJECT)], "toolChoice": {"any": {}, "auto": {}}}, "key [toolConfig.toolChoice]"),
        ({"tools": [tool(ANY_OBJECT, strict=True)]}, "'additionalProperties' must be explicitly set to false"),
    ],
)
def test_tools_that_converse_refuses(shared_stand_ins: StandIns, config: dict[str, Any], message: str) -> None:
    status, kind, said = fault(converse(shared_stand_ins, toolConfig=config))
    assert (status, kind) == (400, "ValidationException")
    assert message in said


@pytest.mark.parametrize(
    ("messages", "config", "message"),
    [
        (CALLED, None, "The toolConfig field must be defined when using toolUse and toolResult"),
        ([*CALLED[:2], user("go on")], forced(ANY_OBJECT), "Expected toolResult blocks at messages.2.content"),
        ([{"role": "user", "content": [RESULT]}], forced(ANY_OBJECT), "exceeds the number of toolUse blocks"),
    ],
)
def test_results_belong_to_uses(shared_stand_ins: StandIns, messages: Any, config: Any, message: str) -> None:
    assert message in fault(converse(shared_stand_ins, messages=messages, toolConfig=config))[2]
    assert converse(shared_stand_ins, messages=CALLED, toolConfig={"tools": [tool(ANY_OBJECT)]}).status_code == 200


def recursive() -> dict[str, Any]:
    node = an_object(next={"$ref": "#/$defs/node"})
    return {**node, "$defs": {"node": node}}


def deep() -> dict[str, Any]:
    schema = an_object(text=TEXT)
    for _ in range(14):
        schema = an_object(inner=schema)
    return schema


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "is no JSON document"),
        ("[]", "It must match JSON Schema draft 2020-12"),
        ({"type": "array", "items": TEXT}, "the root of the schema must be an object"),
        ({"type": "object", "properties": {"a": TEXT}}, "'additionalProperties' must be explicitly set to false"),
        (an_object(a={"type": "object", "properties": {}}), "'additionalProperties' must be explicitly set to false"),
        (an_object(a={"type": "object", "additionalProperties": True}), "must be explicitly set to false"),
        (an_object(a={**TEXT, "maxLength": 5}), "For 'string' type, property 'maxLength' is not supported"),
        (an_object(a={"type": "integer", "minimum": 0}), "For 'integer' type, property 'minimum' is not supported"),
        (an_object(a={"type": "array", "items": TEXT, "maxItems": 3}), "property 'maxItems' is not supported"),
        (an_object(a={"type": "array", "items": TEXT, "minItems": 2}), "'minItems' values other than 0 or 1"),
        (an_object(a={**TEXT, "format": "colour"}), "'format' value 'colour' is not supported"),
        (an_object(a={"enum": [{"b": 1}]}), "Complex types within 'enum'"),
        (an_object(a={"oneOf": [TEXT]}), "property 'oneOf' is not supported"),
        (an_object(a={"$ref": "https://example.com/a"}), "External reference"),
        (an_object(a={"$ref": "#/$defs/b"}), "It must match JSON Schema draft 2020-12"),
        (recursive(), "Circular reference detected"),
        (deep(), "The compiled grammar is too large"),
        ({**an_object(**{f"p{n}": TEXT for n in range(MOST_OPTIONAL + 1)}), "required": []}, "too many optional"),
        (an_object(**{f"p{n}": {"type": ["string", "null"]} for n in range(MOST_UNIONS + 1)}), "union types (17"),
    ],
)
def test_schemas_that_structured_output_refuses(shared_stand_ins: StandIns, schema: Any, message: str) -> None:
    status, kind, said = fault(converse(shared_stand_ins, outputConfig=text_format(schema)))
    assert (status, kind) == (400, "ValidationException")
    assert message in said


@pytest.mark.parametrize("model", [SONNET, NOVA, LLAMA])
def test_structured_output_is_of_some_models(shared_stand_ins: StandIns, model: str) -> None:
    said = fault(converse(shared_stand_ins, model, outputConfig=text_format(SCHEMA)))[2]
    assert said == "This model doesn't support the outputConfig field. Remove outputConfig and try again."


def test_a_forced_tool_is_of_some_models(shared_stand_ins: StandIns) -> None:
    said = fault(converse(shared_stand_ins, LLAMA, toolConfig=forced(SCHEMA)))[2]
    assert said.startswith("This model doesn't support the toolConfig.toolChoice.tool field.")
    assert converse(shared_stand_ins, NOVA, toolConfig=forced(SCHEMA)).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"nonsense", "SerializationException"),
        (b"[]", "SerializationException"),
        (b"[" * 100_000, "SerializationException"),
        (rb'{"messages": [{"role": "user", "content": [{"text": "\ud800"}]}]}', "SerializationException"),
    ],
)
def test_a_body_that_is_no_object(shared_stand_ins: StandIns, body: bytes, kind: str) -> None:
    query = {"foundation_model": NOVA}
    answer = shared_stand_ins.client.post(f"/bedrock/model/{NOVA}/converse", query_string=query, data=body)
    assert fault(answer)[:2] == (400, kind)
    assert fault(converse(shared_stand_ins, messages="hello"))[:2] == (400, "SerializationException")


@pytest.mark.parametrize(
    ("model", "geography", "status", "message"),
    [
        ("nobody.knows-this", "", 400, "The provided model identifier is invalid."),
        (HAIKU, "moon", 400, "The provided model identifier is invalid."),
        (HAIKU, "", 400, "with on-demand throughput isn’t supported"),
        ("anthropic.claude-v2:1", "", 404, "This model version has reached the end of its life."),
    ],
)
def test_models_that_are_not_there(
    shared_stand_ins: StandIns, model: str, geography: str, status: int, message: str
) -> None:
    found, kind, said = fault(converse(shared_stand_ins, model, geography))
    assert (found, kind) == (status, "ResourceNotFoundException" if status == 404 else "ValidationException")
    assert message in said


def test_an_arn_that_names_nothing(shared_stand_ins: StandIns) -> None:
    arn = "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/gone"
    answer = shared_stand_ins.client.post(f"/bedrock/model/{arn}/converse", json={"messages": [user("hello")]})
    assert fault(answer)[:2] == (404, "ResourceNotFoundException")


def test_a_prompt_that_is_too_long(shared_stand_ins: StandIns) -> None:
    long = [user("[u1] A: word " * 70_000)]
    assert "prompt is too long: 227510 tokens > 200000 maximum" in fault(converse(shared_stand_ins, messages=long))[2]
    longer = [user("word " * 250_000)]
    assert "Input is too long for requested model." in fault(converse(shared_stand_ins, NOVA, messages=longer))[2]
    nearly = [user("word " * 150_000)]
    answer = converse(shared_stand_ins, messages=nearly, inferenceConfig={"maxTokens": 30_000})
    assert "input length and `max_tokens` exceed context limit: 187510 + 30000 > 200000" in fault(answer)[2]


def test_members_that_are_null_are_absent(shared_stand_ins: StandIns) -> None:
    inference = {"maxTokens": None, "topP": 0.5, "temperature": None}
    assert (
        converse(shared_stand_ins, system=[{"text": "a", "cachePoint": None}], inferenceConfig=inference).status_code
        == 200
    )


def test_other_calls_are_unknown(shared_stand_ins: StandIns) -> None:
    answer = shared_stand_ins.client.post(f"/bedrock/model/{NOVA}/count-tokens", json={})
    assert answer.status_code == 404
    assert b"UnknownOperationException" in answer.data


def test_a_schema_with_all_that_is_supported(shared_stand_ins: StandIns) -> None:
    schema = deepcopy(dict(SCHEMA))
    schema["properties"]["day"] = {**TEXT, "format": "date", "description": "a day"}
    schema["properties"]["mood"] = {"allOf": [{"enum": ["good", "bad"]}], "default": "good"}
    schema["properties"]["tags"] = {"type": "array", "items": TEXT, "minItems": 1}
    assert converse(shared_stand_ins, outputConfig=text_format(schema)).status_code == 200
