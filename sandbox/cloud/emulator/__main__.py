"""`python -m sandbox.cloud.emulator`: serves ministack with the corrections of this package.

The environment variables are ministack's own. SANDBOX_URL is the base URL of the stand-ins. Its control key and, at a
first start, the root's key are in variables that doors.py names, and that no function inherits.
EVALUATIONS_FOLDER is where the evaluations of expressions are recorded, if anywhere.
"""

import os
import sys
from importlib.metadata import version

from sandbox.cloud.emulator.alarms import evaluate_alarms_by_time, take_alarms_of_one_metric
from sandbox.cloud.emulator.bedrock import (
    ask_iam_for_models,
    converse_with_the_stand_in,
    name_members_of_inference_profiles,
)
from sandbox.cloud.emulator.checksums import add_checksums
from sandbox.cloud.emulator.conditions import (
    name_reads_of_lambda,
    read_escapes_in_patterns,
    tell_policies_the_age_of_links,
    tell_policies_the_leading_keys,
)
from sandbox.cloud.emulator.corrections import (
    add_log_group_target,
    correct_throttling,
    keep_functions_that_raise,
    log_what_libraries_warn_of,
    name_state_machine_of_tokens_to_iam,
)
from sandbox.cloud.emulator.deletions import import_what_was_left, refuse_to_delete_what_is_used
from sandbox.cloud.emulator.deliveries import (
    bury_what_rules_cannot_deliver,
    deliver_events_before_waits_end,
    try_events_as_documented,
)
from sandbox.cloud.emulator.doors import (
    ROOT_KEY_VARIABLE,
    accept_only_keys_of_this_cloud,
    close_doors,
    give_functions_keys_of_this_start,
)
from sandbox.cloud.emulator.evaluations import FOLDER_VARIABLE, record_evaluations
from sandbox.cloud.emulator.executions import (
    end_executions_that_take_too_long,
    end_tokens_of_stopped_executions,
    evaluate_time_outs,
    fail_only_what_runs,
    scale_time_outs_of_tokens,
)
from sandbox.cloud.emulator.log_events import filter_events_page_by_page, read_patterns_as_documented
from sandbox.cloud.emulator.metrics import (
    count_calls_of_functions,
    count_executions,
    count_requests_of_apis,
    lose_no_values,
    read_metrics_of_functions,
    report_of_queues,
)
from sandbox.cloud.emulator.packages import unpack_each_zip_once
from sandbox.cloud.emulator.queues import (
    add_message_move_tasks,
    refuse_to_hide_for_too_long,
    retry_throttled_batches,
)
from sandbox.cloud.emulator.restarts import go_on_after_restarts
from sandbox.cloud.emulator.rights import enforce_roles_of_mappings, enforce_roles_of_state_machines
from sandbox.cloud.emulator.stacks import keep_what_stacks_say, update_tables_in_place
from sandbox.cloud.emulator.streams import (
    keep_streams_over_restarts,
    read_streams_apart,
    read_streams_as_allowed,
    tell_streams_what_expires,
)
from sandbox.cloud.emulator.transcribe import name_jobs_to_iam, refuse_what_transcribe_refuses, transcribe_real_speech
from sandbox.cloud.emulator.updates import let_running_calls_end
from sandbox.cloud.emulator.waits import apply_wait_scale_at_once, retry_as_documented
from sandbox.doors import CONTROL_KEY_VARIABLE, take_secret

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
    accept_only_keys_of_this_cloud(take_secret(os.environ, ROOT_KEY_VARIABLE))
    close_doors(take_secret(os.environ, CONTROL_KEY_VARIABLE))
    give_functions_keys_of_this_start()
    go_on_after_restarts()
    unpack_each_zip_once()
    keep_functions_that_raise()
    log_what_libraries_warn_of()
    correct_throttling()
    add_log_group_target()
    read_patterns_as_documented()
    filter_events_page_by_page()
    transcribe_real_speech(os.environ["SANDBOX_URL"])
    refuse_what_transcribe_refuses()
    name_jobs_to_iam()
    converse_with_the_stand_in(os.environ["SANDBOX_URL"])
    ask_iam_for_models()
    name_members_of_inference_profiles()
    name_state_machine_of_tokens_to_iam()
    keep_what_stacks_say()
    update_tables_in_place()
    refuse_to_delete_what_is_used()
    import_what_was_left()
    let_running_calls_end()
    add_message_move_tasks()
    refuse_to_hide_for_too_long()
    read_escapes_in_patterns()
    name_reads_of_lambda()
    tell_policies_the_leading_keys()
    tell_policies_the_age_of_links()
    enforce_roles_of_state_machines()
    enforce_roles_of_mappings()
    tell_streams_what_expires()
    keep_streams_over_restarts()
    read_streams_as_allowed()
    read_streams_apart()
    end_tokens = end_tokens_of_stopped_executions()
    fail_only_what_runs()
    end_executions_that_take_too_long(end_tokens)
    scale_time_outs_of_tokens()
    evaluate_time_outs()
    apply_wait_scale_at_once()
    deliver = try_events_as_documented()
    retry_as_documented()
    deliver_events_before_waits_end(deliver)
    bury_what_rules_cannot_deliver()
    add_checksums()
    lose_no_values()
    read_metrics_of_functions()
    count_calls_of_functions()
    retry_throttled_batches()
    count_executions()
    count_requests_of_apis()
    take_alarms_of_one_metric()
    evaluate_alarms_by_time(report_of_queues())
    if os.environ.get(FOLDER_VARIABLE):
        record_evaluations()

    from ministack.app import main as serve  # type: ignore[import-untyped]

    serve()


if __name__ == "__main__":
    main()
