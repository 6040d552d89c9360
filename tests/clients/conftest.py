"""The stand-ins on a real port of loopback, for the vendors' published clients."""

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from sandbox.stand_ins.app import create_app, create_runtime
from sandbox.stand_ins.hearing.speech import SpeechEngine
from sandbox.stand_ins.runtime.runtime import Runtime


@pytest.fixture(scope="session")
def runtime() -> Iterator[Runtime]:
    """The runtime of the served stand-ins, with real speech recognition."""
    runtime = create_runtime(SpeechEngine(workers=0))
    yield runtime
    runtime.close()


@pytest.fixture(scope="session")
def served(runtime: Runtime) -> Iterator[str]:
    """Base URL of the stand-ins. Each vendor has the path of its name."""
    server = make_server("127.0.0.1", 0, create_app(runtime), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
