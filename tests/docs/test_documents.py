"""What the pages say of settings, routes, fields, secrets, states and rooms is what the code has."""

import re
from dataclasses import MISSING, fields
from http import HTTPStatus
from importlib import import_module
from typing import Any

import pytest

from infra.settings import SETTINGS, StackSettings
from operations.vendor_access import SECRETS
from recording_insights.agora.fields.decryption import DECRYPTION, DECRYPTION_MODES
from recording_insights.agora.fields.layout import LAYOUT, REGION, TRANSCODING, USER_BACKGROUND
from recording_insights.agora.fields.recorder import MODES, UPDATE, fields_of
from recording_insights.http.problems import PROBLEMS, UNEXPECTED
from recording_insights.model.media_object import SUFFIXES
from recording_insights.model.status import RECORDING_STATUSES as STATUSES
from recording_insights.providers.registry import PROVIDERS, formats_of
from recording_insights.recordings.change import OWN_CHANGES
from recording_insights.recordings.exports.formats import FORMATS
from recording_insights.recordings.request import RecordingRequest
from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.bedrock.dials import BedrockDials
from sandbox.stand_ins.bedrock.models import MODELS
from sandbox.stand_ins.hearing.dials import HearingDials
from tests.docs.examples import full_answer
from tests.docs.pages import PROJECT, codes_in, page
from tests.unit.test_house import FLOORS

SETTINGS_SECTIONS = (
    "## Stage and data",
    "## Insights of a model",
    "## Providers",
    "## Times",
    "## Retention",
    "## Caps",
    "## Alarms",
    "## API and hosts",
)
PROVIDER_STATES = ("alive", "silent", "closed")


def settings_table() -> dict[str, str]:
    """Each key of a setting, as the page has it, with its default."""
    rows = [row for heading in SETTINGS_SECTIONS for row in page("docs/settings.md").table(heading)]
    return {key: row[1] for row in rows for key in codes_in(row[0])}


def test_every_setting_is_in_a_table() -> None:
    written = []
    for key in settings_table():
        names = [*PROVIDERS] if "<provider>" in key else [""]
        written += [key.replace("<provider>", name) for name in names]
    assert sorted(written) == sorted(SETTINGS)


def test_the_defaults_of_settings_are_the_codes() -> None:
    table = settings_table()
    numbers = {
        key: field.default
        for key, setting in SETTINGS.items()
        for field in fields(StackSettings)
        if field.name == setting.field and field.default is not MISSING and type(field.default) is int
    }
    assert numbers
    assert {key: int(table[key]) for key in numbers} == numbers


def test_the_table_of_formats_is_the_registrys() -> None:
    columns = (".m4a", ".webm", ".ogg", ".opus", ".flac", ".aac", ".aiff", ".mov", ".mkv")
    of_all = {".mp4", ".mp3", ".wav"}
    assert {*columns, *of_all} == set(SUFFIXES)
    table = {
        codes_in(name)[0]: {suffix for suffix, cell in zip(columns, cells, strict=True) if cell == "yes"} | of_all
        for name, *cells in page("docs/providers/README.md").table("## Formats")
    }
    assert table == {name: {suffix for suffix in SUFFIXES if suffix[1:] in formats_of(name)} for name in PROVIDERS}


def test_every_suffix_of_media_is_named() -> None:
    section = "\n".join(page("docs/api.md").section("## Files without an API call"))
    assert {f"`{suffix}`" for suffix in SUFFIXES} <= set(re.findall(r"`\.\w+`", section))


def test_every_provider_has_its_page_and_its_line() -> None:
    table = {codes_in(row[0])[0]: row for row in page("docs/providers/README.md").table("# Providers")}
    assert sorted(table) == sorted(PROVIDERS)
    for name, row in PROVIDERS.items():
        assert f"[`{name}`]({name}.md)" in table[name][0]
        text = page(f"docs/providers/{name}.md").path.read_text()
        assert all(f"`{option}`" in text for option in row.options), name
        assert all(f"`{key}`" in text for key in row.secret_keys), name


def test_the_readme_says_of_each_provider_whether_it_is_alive() -> None:
    table = {codes_in(row[0])[0]: row[1] for row in page("README.md").table("## Status and limits")}
    assert sorted(table) == sorted(PROVIDERS)
    assert [name for name, state in table.items() if not state.startswith(PROVIDER_STATES)] == []
    known = {codes_in(row[0])[0]: row[1] for row in page("docs/providers/README.md").table("# Providers")}
    assert {name: re.split(r"\W", state)[0] for name, state in table.items()} == {
        name: re.split(r"\W", state)[0] for name, state in known.items()
    }


def test_every_field_of_a_start_is_described() -> None:
    heading = "### POST /recordings"
    own, recorders = page("docs/api.md").table(heading), page("docs/api.md").table(heading, number=1)
    assert {name for row in own for name in codes_in(row[0])} == {
        "mode",
        *(field.name for field in fields(RecordingRequest) if field.name != "recorder"),
    }
    for mode in MODES:
        written = [name for row in recorders if row[0] == "all" or mode in row[0] for name in codes_in(row[1])]
        assert sorted(written) == sorted(fields_of(mode)), mode


def test_every_option_of_a_recorder_is_described() -> None:
    text = page("docs/recording-options.md").path.read_text()
    nested = (*TRANSCODING, *REGION, *DECRYPTION, *USER_BACKGROUND, *DECRYPTION_MODES)
    names = {name for mode in MODES for name in fields_of(mode)}
    assert [name for name in (*sorted(names), *nested) if f"`{name}`" not in text] == []


def test_every_route_has_its_section(routes: list[str]) -> None:
    table = page("docs/api.md").table("# HTTP API")
    assert sorted(codes_in(row[0])[0] for row in table) == sorted(routes)
    sections = [line[4:] for _, line in page("docs/api.md").prose if line.startswith("### ")]
    linked = {re.sub(r"/\{token\}$", "", codes_in(row[0])[0]) for row in table}
    assert sorted(sections) == sorted(linked)


def test_every_problem_is_in_the_table() -> None:
    rows = page("docs/api.md").table("## Errors")
    written = {(int(row[0]), codes_in(row[1])[0]) for row in rows}
    known = {(status, kind) for status, kind, _ in PROBLEMS.values()}
    assert written == {*known, (UNEXPECTED.status, UNEXPECTED.kind)}


def test_the_integrator_reads_of_every_problem_whether_to_repeat() -> None:
    table = page("docs/integrate.md").table("## 4. Understand answers")
    advised = {codes_in(kind)[0]: repeat for kind, repeat, _ in table}
    assert advised.keys() == {kind for _, kind, _ in PROBLEMS.values()} | {UNEXPECTED.kind}
    assert set(advised.values()) == {"yes", "no", "once"}
    passing = {kind for status, kind, _ in PROBLEMS.values() if status == HTTPStatus.SERVICE_UNAVAILABLE}
    assert {kind for kind, repeat in advised.items() if repeat == "yes"} == passing


def test_every_status_can_be_asked_for() -> None:
    [row] = [row for row in page("docs/api.md").table("### GET /recordings") if codes_in(row[0]) == ["status"]]
    assert codes_in(row[2]) == list(STATUSES)


def test_every_field_of_a_change_is_described() -> None:
    rows = page("docs/api.md").table("### PATCH /recordings/{recording_id}")
    for mode in MODES:
        written = [name for row in rows if mode in row[1] for name in codes_in(row[0])]
        assert sorted(written) == sorted([*UPDATE[mode], *OWN_CHANGES]), mode
    layout = "\n".join(page("docs/api.md").section("### PUT /recordings/{recording_id}/layout"))
    assert [name for name in LAYOUT if f"`{name}`" not in layout] == []


def test_every_format_is_described() -> None:
    rows = page("docs/api.md").table("#### Formats")
    described = {(name, kind) for cells in rows for name in codes_in(cells[0]) for kind in codes_in(cells[1])}
    assert described == {("json", "application/json"), *((name, each.media_type) for name, each in FORMATS.items())}


def test_every_field_of_the_insights_is_described() -> None:
    rows = page("docs/api.md").table("### GET /recordings/{recording_id}/insights")
    top = [name for row in rows for name in codes_in(row[0])]
    answer = full_answer("GET /recordings/{recording_id}/insights")
    assert sorted(["recording_id", *top]) == sorted(answer)
    for row in rows:
        for name in codes_in(row[0]):
            entries = answer[name] if isinstance(answer[name], list) else []
            inner = {inner for entry in entries if isinstance(entry, dict) for inner in entry}
            assert inner == set(codes_in(row[1])), name


def test_every_secret_is_in_the_table() -> None:
    rows = page("docs/deploy.md").table("## 2. Store the credentials")
    written = {codes_in(row[0])[0].rpartition("/")[2]: tuple(codes_in(row[1])) for row in rows}
    assert written == SECRETS


def test_every_output_is_in_the_table(outputs: list[str]) -> None:
    rows = page("docs/deploy.md").table("## 3. Deploy the stack")
    written = [name for row in rows for name in codes_in(row[0])]
    assert sorted(written) == sorted(name for name in outputs if not name.startswith("ExportsOutput"))


@pytest.mark.parametrize(
    ("name", "start"), [("docs/architecture.md", "Media prepared?"), ("docs/recording-lifecycle.md", "Wait")]
)
def test_the_picture_of_a_state_machine_has_its_states(name: str, start: str, machines: list[dict[str, Any]]) -> None:
    [machine] = [machine for machine in machines if machine["StartAt"] == start]
    [picture] = [fence.text for fence in page(name).fences if fence.text.startswith("stateDiagram")]
    labels = dict(re.findall(r"^ *(\w+): (.+)$", picture, flags=re.MULTILINE))
    arrows = re.findall(r"^ *(\S+) --> ([^\s:]+)", picture, flags=re.MULTILINE)
    drawn = {labels.get(state, state) for arrow in arrows for state in arrow if state != "[*]"}
    assert drawn == set(machine["States"])
    assert ("[*]", next((key for key, label in labels.items() if label == start), start)) in arrows


def test_the_rooms_are_the_folders() -> None:
    architecture = page("docs/architecture.md")
    floors = {
        codes_in(row[1])[0].rstrip("/"): int(row[0]) for row in architecture.table("## Rooms of the code", number=1)
    }
    assert floors.keys() == _folders("functions/recording_insights")
    assert floors == {room: FLOORS[f"recording_insights.{room}"] for room in floors}
    handlers = {codes_in(row[0])[0].rstrip("/") for row in architecture.table("## Rooms of the code")}
    assert handlers == _folders("functions")
    tests = {name for row in architecture.table("## Folders", number=1) for name in codes_in(row[0])}
    assert {name.removeprefix("tests/").rstrip("/") for name in tests} == _folders("tests") - {"events", "vectors"}
    top = {codes_in(row[0])[0].rstrip("/") for row in architecture.table("## Folders")}
    assert [name for name in top if not (PROJECT / name).is_dir()] == []


def test_the_dials_are_the_stand_ins() -> None:
    vendors = [import_module(f"sandbox.stand_ins.vendors.{name}.server").VENDOR.dials for name in PROVIDERS]
    groups = {
        "every provider": vendors,
        "`agora`": [AgoraDials],
        "`hearing`": [HearingDials],
        "`bedrock`": [BedrockDials],
    }
    for group, dial, _ in page("docs/sandbox.md").table("## Dials"):
        for dials in groups[group]:
            assert codes_in(dial)[0] in {field.name for field in fields(dials)}, (dials, dial)


def test_the_models_are_the_stand_ins() -> None:
    rows = {codes_in(row[0])[0]: row for row in page("docs/sandbox.md").table("## Bedrock")}
    assert rows.keys() == MODELS.keys()
    for name, (_, profiles, tokens, output, forced) in rows.items():
        model = MODELS[name]
        needs = "none" if not model.geographies else "optional" if model.on_demand else "required"
        choice = "yes" if "tool" in model.tool_choices else "only `any`" if model.tool_choices else "no"
        assert (profiles, forced) == (needs, choice)
        assert tokens == f"{model.context_tokens:,}, {model.output_tokens:,}"
        assert output == ("yes" if model.text_format else "no")


def _folders(name: str) -> set[str]:
    folders = [path for path in (PROJECT / name).iterdir() if path.is_dir() and path.name != "__pycache__"]
    return {path.name for path in folders if any(path.rglob("*.py"))}
