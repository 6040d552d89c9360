"""Wait in the terminal until a recording has ended, and show meanwhile what happens to it."""

from typing import TYPE_CHECKING, Any

from cli.errors import FAILED, OK, Conflict, NotSignedIn
from cli.session import Session
from cli.timeline.follow import Changes, Follower

if TYPE_CHECKING:
    from rich.console import Console

LOCAL_PAUSE_SECONDS, PAUSE_SECONDS = 0.4, 2.0


def wait_until_ended(session: Session, recording_id: str, *, to: "Console | None" = None) -> dict[str, Any]:
    """Return a recording once it has ended. Its steps go to a console, by default to standard error.

    Raises:
        Conflict: it is being erased.
        CommandFailed: the API refuses to show it.
    """
    from cli.terminal.steps import LiveSteps

    with LiveSteps(to or session.words) as live:
        return _followed(session, recording_id, Follower(_reader(session, recording_id), live.show, session.say))


def print_changes_until_ended(session: Session, recording_id: str) -> dict[str, Any]:
    """Do as `wait_until_ended`, with each change as one JSON line of standard output."""
    changes = Changes()

    def show(steps: Any) -> None:
        for change in changes.since(steps):
            session.line({"recording_id": recording_id, **change})

    return _followed(session, recording_id, Follower(_reader(session, recording_id), show, session.say))


def exit_code_of(recording: dict[str, Any]) -> int:
    """Return 0 for a recording with something to read, 1 for one that failed or holds nothing."""
    from cli.timeline.recording_steps import READY

    return OK if recording["status"] in READY else FAILED


def _reader(session: Session, recording_id: str) -> Any:
    return lambda: session.api.call("GET", f"/recordings/{recording_id}")


def _followed(session: Session, recording_id: str, follower: Follower) -> dict[str, Any]:
    from cli.timeline.histories import StepFunctionsHistories

    def connect() -> tuple[Any, str]:
        if session.stage.name is None:
            raise NotSignedIn("The name of the stage is not said.")
        workflow_arn = session.stage.output("WorkflowArn")
        return session.client("stepfunctions"), workflow_arn

    def lost(reason: str) -> None:
        session.say(f"The steps come from the API alone: {reason}")

    follower.histories = StepFunctionsHistories(connect, lost)
    follower.pause_seconds = LOCAL_PAUSE_SECONDS if session.stage.is_local else PAUSE_SECONDS
    try:
        recording = follower.follow()
    except KeyboardInterrupt:
        session.say(f"The recording goes on. Follow it again: {session.command('watch', recording_id)}")
        raise
    if recording["status"] == "erasing":
        raise Conflict(f"Recording {recording_id} is being erased.")
    return recording
