"""No file of a stage that lies in the project counts in these tests."""

from pathlib import Path

import pytest

from operations import stage_settings


@pytest.fixture(autouse=True)
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stages' files, empty at first."""
    folder = tmp_path / "stages"
    folder.mkdir()
    monkeypatch.setattr(stage_settings, "STAGES", folder)
    return folder
