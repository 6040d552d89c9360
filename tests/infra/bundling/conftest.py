"""The packages of functions, filled once."""

from pathlib import Path

import pytest

from infra.bundling.native_wheels import HOST_WHEELS, LAMBDA_WHEELS
from infra.bundling.packages import SHARED_WHEELS, fill


@pytest.fixture(scope="session")
def shared_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of every function but `prepare_media`."""
    folder = tmp_path_factory.mktemp("shared")
    fill(folder, (SHARED_WHEELS,))
    return folder


@pytest.fixture(scope="session")
def on_this_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of `prepare_media` with PyAV for this host."""
    folder = tmp_path_factory.mktemp("host")
    fill(folder, (SHARED_WHEELS, HOST_WHEELS))
    return folder


@pytest.fixture(scope="session")
def on_lambda(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of `prepare_media` with PyAV for AWS."""
    folder = tmp_path_factory.mktemp("lambda")
    fill(folder, (SHARED_WHEELS, LAMBDA_WHEELS))
    return folder
