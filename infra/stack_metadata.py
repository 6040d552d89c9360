"""What the template says of its deployment: the version of the project, and the settings that were given."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from infra.settings import StackSettings
from infra.stage_file import context_of

KEY = "RecordingInsights"
"""The key of the template's metadata."""
_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def metadata_of(settings: StackSettings) -> dict[str, Any]:
    """Return `version` and `settings`: the texts of `context_of` by key, without defaults.

    CloudFormation keeps ASCII only, so a text with other characters is written as a JSON string, in quotes.
    """
    return {
        "version": project_version(),
        "settings": {key: _written(text) for key, text in sorted(context_of(settings.given).items())},
    }


def read_settings_of(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings in the metadata of a template, as `context_of` had returned them."""
    return {key: json.loads(text) if text.startswith('"') else text for key, text in metadata["settings"].items()}


def digest_of(metadata: Mapping[str, Any]) -> str:
    """Return a short digest, for the metadata of a resource.

    CloudFormation updates the template's metadata only together with a resource, and its own metadata count as such.
    """
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()[:16]


@cache
def project_version() -> str:
    """Return the version of the project, as pyproject.toml has it."""
    return str(tomllib.loads(_PYPROJECT.read_text())["project"]["version"])


def _written(text: str) -> str:
    return text if text.isascii() and not text.startswith('"') else json.dumps(text)
