"""The pinned CDK command line, found in the project. It needs no Node on the PATH."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]


class ToolMissing(Exception):
    """A tool is missing that `make install` installs. The text says which."""


@dataclass(frozen=True)
class CdkCommand:
    """The pinned CDK command line, run by the Node of the virtual environment."""

    node: Path
    script: Path
    version: str

    @classmethod
    def find(cls, project: Path = PROJECT) -> "CdkCommand":
        """Find both in the project. Raises ToolMissing."""
        package = project / "node_modules" / "aws-cdk"
        node = Path(sys.executable).parent / "node"
        for tool, path in (("Node", node), ("the CDK command line", package / "package.json")):
            if not path.exists():
                raise ToolMissing(f"{tool} is not installed ({path}): run `make install`.")
        version = json.loads((package / "package.json").read_text())["version"]
        return cls(node, package / "bin" / "cdk", version)

    def run_with(self, *arguments: str) -> list[str]:
        return [str(self.node), str(self.script), *arguments]

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the command: the app that it runs finds the same Node."""
        return {**base, "PATH": f"{self.node.parent}:{base.get('PATH', '')}"}
