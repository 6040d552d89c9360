"""Correction of how functions get their code: processes with the same zip share one folder, as it is read-only."""

import hashlib
import os
import tempfile
import threading
import zipfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sandbox.cloud.emulator.internals import require_source


def unpack_each_zip_once() -> None:
    """Unpack a zip for the first process that has it, and link the folder for the others.

    ministack unpacks 650 files for each process, which compiles what it imports and deletes all of it at its end:
    half of what the start of a function costs. A function of AWS cannot write into its code's folder, so none can
    tell. The folders are in the scratch folder, which goes when the local cloud stops.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html (only /tmp is writable)

    Raises:
        RuntimeError: the installed ministack unpacks zips in another way.
    """
    from ministack.core import lambda_runtime  # type: ignore[import-untyped]

    require_source(lambda_runtime.Worker._spawn, "os.makedirs(code_dir)", "zf.extractall(code_dir)")
    folder = Path(tempfile.mkdtemp(prefix="functions-"))
    unpacked = partial(_UnpackedOnce, folder, threading.Lock())
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": unpacked})


class _UnpackedOnce(zipfile.ZipFile):
    """A zip whose content is the same folder each time."""

    def __init__(self, folder: Path, lock: threading.Lock, path: str) -> None:
        super().__init__(path)
        self._shared = folder / hashlib.sha256(Path(path).read_bytes()).hexdigest()
        self._one_unpacks = lock

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        with self._one_unpacks:
            if not self._shared.exists():
                partly = self._shared.with_suffix(".partly")
                super().extractall(partly)
                partly.rename(self._shared)
        os.rmdir(path)
        os.symlink(self._shared, path, target_is_directory=True)
