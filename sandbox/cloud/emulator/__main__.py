"""`python -m sandbox.cloud.emulator`: serves ministack with the corrections of this package.

The environment variables are ministack's own. SANDBOX_URL is the base URL of the stand-ins.
"""

import os
import sys
from importlib.metadata import version

from sandbox.cloud.emulator.checksums import add_checksums
from sandbox.cloud.emulator.corrections import (
    add_log_group_target,
    correct_throttling,
    keep_functions_that_raise,
    name_state_machine_of_tokens_to_iam,
)
from sandbox.cloud.emulator.deliveries import deliver_events_before_waits_end
from sandbox.cloud.emulator.transcribe import name_jobs_to_iam, refuse_what_transcribe_refuses, transcribe_real_speech
from sandbox.cloud.emulator.waits import apply_wait_scale_at_once, retry_as_documented

SUPPORTED_VERSION = "1.5.33"
"""The corrections replace internals of this version."""


def main() -> None:
    """Correct ministack and serve until the process ends."""
    installed = version("ministack")
    if installed != SUPPORTED_VERSION:
        sys.exit(
            f"sandbox/cloud/emulator corrects ministack {SUPPORTED_VERSION}, but {installed} is installed: "
            "run `make install`."
        )
    keep_functions_that_raise()
    correct_throttling()
    add_log_group_target()
    transcribe_real_speech(os.environ["SANDBOX_URL"])
    refuse_what_transcribe_refuses()
    name_jobs_to_iam()
    name_state_machine_of_tokens_to_iam()
    apply_wait_scale_at_once()
    retry_as_documented()
    deliver_events_before_waits_end()
    add_checksums()

    from ministack.app import main as serve  # type: ignore[import-untyped]

    serve()


if __name__ == "__main__":
    main()
