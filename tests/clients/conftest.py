"""The stand-ins on a real port of loopback, for the vendors' published clients."""

import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import av
import pytest
from werkzeug.serving import make_server

from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.hearing.speech import Utterance, check_container
from sandbox.stand_ins.runtime.runtime import Runtime

SAID = (
    Utterance(990.0, 4110.0, "1", "good morning thank you for calling the delivery office"),
    Utterance(4680.0, 6660.0, "2", "how can i help you today"),
    Utterance(7380.0, 10650.0, "1", "hello i have a big problem with my last order"),
    Utterance(11340.0, 16290.0, "2", "the table was broken when it came to my house and nobody called me back"),
    Utterance(16980.0, 20550.0, "1", "that is a terrible mistake and we are very sorry"),
)
"""The beginning of the sample conversation. The clients are witnesses of the API, not of the speech recognition."""


class Ears:
    """Hears what is said in the sample until the end of the media."""

    def recognise(
        self, media: Path, speakers: int | None = 1, containers: Collection[str] | None = None
    ) -> list[Utterance]:
        check_container(media, containers)
        with av.open(str(media)) as container:
            length_ms = (container.duration or 0) / 1000
        voices = ("1", "1") if speakers == 1 else ("1", "2")
        return [
            Utterance(said.start_ms, said.end_ms, voices[i % 2], said.text)
            for i, said in enumerate(SAID)
            if said.end_ms <= length_ms
        ]

    def close(self) -> None:
        """Nothing to end."""


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    """The runtime of the served stand-ins."""
    runtime = create_runtime(Ears())
    yield runtime
    runtime.close()


@pytest.fixture(scope="session")
def served(runtime: Runtime) -> Iterator[str]:
    """Base URL of the stand-ins. Each vendor has the path of its name."""
    server = make_server("127.0.0.1", 0, create_app(runtime), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
