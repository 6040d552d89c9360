"""Why a command failed, as one small tree: each kind has an exit code that scripts can rely on."""

from collections.abc import Mapping
from typing import Any

OK, FAILED, USAGE, NOT_FOUND, CONFLICT, NOT_SIGNED_IN, NOT_REACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130
EXIT_CODES = {
    OK: "done",
    FAILED: "failed, or something was found that is wrong",
    USAGE: "the command, an option or a value is wrong, or the stage is not said",
    NOT_FOUND: "there is no such recording, stage, queue or file",
    CONFLICT: "the state does not allow it, or the file exists already",
    NOT_SIGNED_IN: "no credentials, credentials that ended, or a right that is missing",
    NOT_REACHABLE: "the network, AWS or the local stack does not answer",
    INTERRUPTED: "ended by Ctrl-C",
}


class CommandFailed(Exception):
    """The command failed. The text is one line that gives the reason and what to do, and holds no secret.

    `problem` is the problem document, if the API refused a call.
    """

    exit_code = FAILED

    def __init__(self, text: str, problem: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.problem = problem or {}


class UsageWrong(CommandFailed):
    """An option or a value is wrong, or something that has to be said is missing."""

    exit_code = USAGE


class NotFound(CommandFailed):
    """There is no such thing."""

    exit_code = NOT_FOUND


class Conflict(CommandFailed):
    """The state of the thing does not allow it."""

    exit_code = CONFLICT


class NotSignedIn(CommandFailed):
    """Credentials are missing, have ended, or lack a right."""

    exit_code = NOT_SIGNED_IN


class NotReachable(CommandFailed):
    """Nobody answers."""

    exit_code = NOT_REACHABLE
