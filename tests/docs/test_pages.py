"""The readers of pages: a mistake of theirs would let a wrong page pass."""

from pathlib import Path

import pytest

from recording_insights.errors import InvalidRequest
from tests.docs.commands import Command, commands_of, curl_call, request_in
from tests.docs.examples import check_request, fields_in, matching_route, parse
from tests.docs.pages import Fence, Page, anchor_of

TEXT = """# Title

See [the `code`](other.md#a-b) and [far](https://example.org).
Run `make demo
JSON=1` twice.

1. First:

   ```sh
   A=1 make up && make down   # a comment
   curl -X PUT "$API_URL/x?y=1" \\
     --json '{"a":
       1}'
   export X=$(aws sts get-caller-identity)
   ```

## Part two

| a | b |
|---|---|
| `c` | d |

text

| e |
|---|
| f |

# Next

| g |
|---|
| h |
"""


@pytest.fixture
def read(tmp_path: Path) -> Page:
    file = tmp_path / "page.md"
    file.write_text(TEXT)
    return Page(file)


def test_a_fenced_block_loses_the_indentation_of_its_list(read: Page) -> None:
    [fence] = read.fences
    assert (fence.language, fence.line) == ("sh", 10)
    assert fence.text.startswith("A=1 make up")
    assert "curl" not in "\n".join(line for _, line in read.prose)


def test_links_to_this_project_are_found(read: Page) -> None:
    assert read.links == ["other.md#a-b"]
    assert read.anchors == {"title", "part-two", "next"}


def test_tables_belong_to_their_heading(read: Page) -> None:
    assert read.table("## Part two") == [["`c`", "d"]]
    assert read.table("## Part two", number=1) == [["f"]]
    assert read.table("# Title") == [["`c`", "d"]]
    assert read.table("# Next") == [["h"]]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("POST /recordings/{recording_id}/stop", "post-recordingsrecording_idstop"),
        ("`GET /recordings`", "get-recordings"),
        ("[Code structure](code.md)", "code-structure"),
        ("Agora: starts, changes and hosts", "agora-starts-changes-and-hosts"),
    ],
)
def test_anchors_are_githubs(heading: str, anchor: str) -> None:
    assert anchor_of(heading) == anchor


def test_commands_are_taken_apart_as_a_shell_does(read: Page) -> None:
    up, down, curl, export, aws, demo = commands_of(read)
    assert (up.words, up.environment) == (["make", "up"], {"A": "1"})
    assert down.words == ["make", "down"]
    assert export.words == ["export", "X"]
    assert aws.words == ["aws", "sts", "get-caller-identity"]
    assert demo.words == ["make", "demo", "JSON=1"]
    call = curl_call(curl, {"API_URL": "https://api.test"})
    assert (call.method, call.path) == ("PUT", "/x?y=1")
    assert parse(str(call.body)) == {"a": 1}


def test_an_unknown_option_of_curl_is_an_error() -> None:
    with pytest.raises(ValueError, match="--insecure"):
        curl_call(Command(7, ["curl", "--insecure", "$API_URL/x"]), {"API_URL": "https://api.test"})


@pytest.mark.parametrize(
    ("text", "value"),
    [('{"a": [1, …], …}', {"a": [1]}), ('{"a": 1,\n  …\n}', {"a": 1}), ('{"a": "b, …"}', {"a": "b, …"})],
)
def test_a_lone_ellipsis_ends_a_list_or_an_object(text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize("text", ['{"a": …}', "[…, 1]", '{"a": 1,}'])
def test_anything_else_has_to_be_json(text: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        parse(text)


def test_the_route_with_the_fewest_parameters_counts() -> None:
    routes = ["POST /webhooks/{provider}", "POST /webhooks/agora"]
    assert matching_route("POST /webhooks/agora", routes) == "POST /webhooks/agora"
    assert matching_route("POST /webhooks/symbl", routes) == "POST /webhooks/{provider}"
    with pytest.raises(LookupError):
        matching_route("GET /webhooks/agora", routes)


def test_a_block_may_begin_with_a_request_line() -> None:
    assert request_in(Fence((), 1, 'POST /recordings\n{"a": 1}')) == ("POST /recordings", '{"a": 1}')
    assert request_in(Fence((), 1, "make demo")) is None


def test_fields_are_listed_with_their_path() -> None:
    value = {"a": [{"b": 1}, {"c": 2}], "options": {"x": 1}, "d": {"e": 1}}
    assert set(fields_in(value)) == {"a", "a[].b", "a[].c", "options", "d", "d.e"}


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        ("POST /recordings", {"channel": "c", "chanel": "typo"}, "chanel"),
        ("POST /recordings", {"channel": "c", "options": {"feature": ["x"]}}, "options.feature"),
        ("PATCH /recordings/{recording_id}", {"subscribe_audio_uids": [7], "onhold": True}, "body"),
        ("PUT /recordings/{recording_id}/layout", {"layout": "sideways"}, "layout"),
    ],
)
def test_a_wrong_request_is_refused(route: str, body: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        check_request(route, body)
    assert raised.value.field == field
