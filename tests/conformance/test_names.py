"""No provider gets the name of a channel or of a person, except by the path of the link to the media."""

from typing import Any
from urllib.parse import unquote

import pytest
from flask import request

from recording_insights.providers.registry import PROVIDERS
from tests.conformance.conftest import MakeScene
from tests.conformance.scene import R, Scene

SID = "38f8e3cfdc474cd56fc1ceba380d7e1a"
FILE = f"recordings/{R}/{SID}_BoardMeeting_0.mp4"
NAMES = {"channel": "BoardMeeting", "speakers": {"1": "Ada Lovelace"}, "consent": "Told by Grace Hopper"}
WORDS = ("BoardMeeting", "Lovelace", "Hopper")


@pytest.fixture
def told(make_scene: MakeScene) -> tuple[Scene, list[str]]:
    """A scene of a recording with names, and all that its vendor receives: URLs, headers and bodies."""
    scene = make_scene(key=FILE)
    row: Any = {**scene.store.recordings.get(R), **NAMES}
    scene.table.put_item(Item=row)
    received: list[str] = []

    def keep() -> None:
        # The media itself is read from the stream.
        is_media = request.method == "PUT" or request.path.endswith("/hear")
        body = b"" if is_media else request.get_data()
        received.append(unquote(f"{request.url} {dict(request.headers)} {body.decode(errors='replace')}"))

    scene.client.application.before_request(keep)
    return scene, received


def test_a_vendor_receives_no_name_by_default(told: tuple[Scene, list[str]]) -> None:
    scene, received = told

    assert scene.run() == "done", scene.row

    everything = "\n".join(received)
    assert any(word in everything for word in WORDS) is (PROVIDERS[scene.name].base_url is None or is_linked(scene))
    assert not [word for word in WORDS if word in everything.replace(FILE, "")]


def is_linked(scene: Scene) -> bool:
    """Whether the vendor gets a link, whose path is the key of the object."""
    return scene.provider.capabilities.takes == "url"
