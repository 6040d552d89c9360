"""The composition root: parts are made late and once, and each handler has what it uses."""

import importlib
import logging
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest

from recording_insights.aws import clients
from recording_insights.errors import SettingsInvalid
from recording_insights.settings import FunctionSettings, PollJobSettings, PrepareMediaSettings, StageSettings
from tests.unit.environment import ENVIRONMENT, STAGE_SETTINGS
from wiring import Wiring, keep_links_out_of_logs, part

FUNCTIONS = Path(__file__).parent.parent.parent / "functions"
HANDLERS = [
    f"{folder}.{file.stem}"
    for folder in ("routes", "states", "events")
    for file in sorted((FUNCTIONS / folder).glob("[!_]*.py"))
]


def handler_module(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_every_part_is_made_once(monkeypatch: pytest.MonkeyPatch, fake_aws: None) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    wiring = Wiring(PollJobSettings)
    assert "settings" not in vars(wiring)

    assert wiring.settings is wiring.settings
    assert wiring.media is wiring.media
    assert wiring.media.table is wiring.recordings.table is wiring.table
    assert wiring.replies.s3 is wiring.s3
    assert wiring.provider_for("marsview") is wiring.provider_for("marsview")


def test_a_part_that_could_not_be_made_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    wiring = Wiring(PollJobSettings)
    monkeypatch.delenv("STAGE", raising=False)
    with pytest.raises(SettingsInvalid, match="STAGE is missing"):
        _ = wiring.settings
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    assert wiring.settings.stage == "dev"


def test_a_test_may_replace_a_part() -> None:
    wiring = Wiring(PollJobSettings)
    vars(wiring)["stage_settings"] = STAGE_SETTINGS
    assert wiring.stage_settings is STAGE_SETTINGS


def test_the_settings_of_the_stage_are_read_at_the_top_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wiring.__file__", str(tmp_path / "wiring.py"))
    wiring = Wiring(PollJobSettings)
    with pytest.raises(SettingsInvalid, match=r"stage_settings.json is missing from the package"):
        _ = wiring.stage_settings
    (tmp_path / "stage_settings.json").write_text(StageSettings({}, {}).to_json())
    assert wiring.stage_settings == StageSettings({}, {})


def test_importing_the_handlers_opens_no_client_and_reads_no_setting() -> None:
    script = (
        "import sys, importlib\n"
        f"sys.path.insert(0, {str(FUNCTIONS)!r})\n"
        f"modules = [importlib.import_module(name) for name in {HANDLERS!r}]\n"
        "assert all(list(vars(module.wiring)) == ['settings_type'] for module in modules)\n"
        "assert 'boto3' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env={})  # noqa: S603
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_its_settings_and_its_logger_have_one_name(name: str) -> None:
    module = handler_module(name)
    verb = name.rpartition(".")[2]
    assert issubclass(module.wiring.settings_type, FunctionSettings)
    assert module.wiring.settings_type.__name__ == "".join(map(str.capitalize, verb.split("_"))) + "Settings"
    assert verb.replace("_", "-") in logging.root.manager.loggerDict


def test_a_header_that_cannot_be_parsed_leaves_no_link_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    keep_links_out_of_logs()  # another test of this process may have changed the level
    log = logging.getLogger("urllib3.connection")
    log.warning("Failed to parse headers (url=%s)", "https://bucket.test/a.mp4?X-Amz-Signature=5ec0de")
    log.error("a fault without a link")
    assert [record.message for record in caplog.records] == ["a fault without a link"]


def test_media_are_prepared_with_the_rights_on_their_recording_only(
    monkeypatch: pytest.MonkeyPatch, fake_aws: None
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    wiring = Wiring(PrepareMediaSettings)
    assume_role = Mock(wraps=wiring.sessions.sts.assume_role)
    monkeypatch.setattr(wiring.sessions.sts, "assume_role", assume_role)
    a, b = "a" * 32, "b" * 32
    first, again, other = (
        wiring.for_media(recording_id, f"recordings/{recording_id}/{name}")
        for recording_id, name in ((a, "c__uid_s_7.m3u8"), (a, "c__uid_s_8.m3u8"), (b, "c__uid_s_7.m3u8"))
    )
    assert first is again is not other
    asked = [call.kwargs for call in assume_role.call_args_list]
    assert [given["RoleSessionName"] for given in asked] == [f"prepare-{a}", f"prepare-{b}"]
    assert {given["RoleArn"] for given in asked} == {ENVIRONMENT["SESSION_ROLE_ARN"]}
    assert f"{ENVIRONMENT['RECORDINGS_BUCKET']}/recordings/{a}/*" in asked[0]["Policy"]
    # The clients sign with the session's key, whatever part of the wiring uses them.
    used: list[Any] = [first.folder.s3, first.s3_media.s3, first.media.table.meta.client]
    keys = {client._request_signer._credentials.access_key for client in used}
    others: list[Any] = [other.s3, wiring.s3]
    assert len(keys) == 1
    assert not keys & {client._request_signer._credentials.access_key for client in others}


def test_no_handler_calls_boto3_or_reads_its_errors() -> None:
    for name in HANDLERS:
        source = (FUNCTIONS / f"{name.replace('.', '/')}.py").read_text()
        assert "boto" not in source, name
        assert "ClientError" not in source, name
        assert "lru_cache" not in source, name


def test_each_part_says_what_it_is() -> None:
    parts = {name: value for name, value in vars(Wiring).items() if isinstance(value, part)}
    assert len(parts) > 15
    assert [name for name, value in parts.items() if not value.__doc__] == []


def test_clients_are_new_for_each_call(fake_aws: None) -> None:
    assert clients.s3() is not clients.s3()
