"""How the user's shell starts this program, for commands that are printed to be copied."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

NAME = "recordings"


def program(environment: Mapping[str, str], folder: Path, script: Path | None = None) -> str:
    """Return `recordings` if the user's shell finds this script by its name, else its path from a folder.

    make puts the project's own programs first on the path of what it runs: the user's shell does not have that.
    """
    script = script or Path(sys.executable).parent / NAME
    places = environment.get("PATH", "").split(os.pathsep)
    if "MAKELEVEL" in environment and places[0] and Path(places[0]).resolve() == script.parent.resolve():
        places = places[1:]
    found = shutil.which(NAME, path=os.pathsep.join(places))
    if found and Path(found).resolve() == script.resolve():
        return NAME
    return shlex.quote(os.path.relpath(script, folder))
