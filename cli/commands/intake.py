"""Commands about the intake of a stage: before an upgrade, arrivals can stay in their queue."""

from typing import TYPE_CHECKING, Any

from cli.answer import Answer, sentence
from cli.session import Session

if TYPE_CHECKING:
    from operations.pause_intake import Outcome


def pause(session: Session) -> Answer:
    """Keep arrivals in their queue, and start no recording, until `intake resume`. What runs goes on."""
    from operations.pause_intake import pause_intake

    return _answer(pause_intake(session.stage.known_name, session.client, session.stage.table))


def resume(session: Session) -> Answer:
    """Let the intake go on. What waits in the queue is admitted within six minutes."""
    from operations.pause_intake import resume_intake

    return _answer(resume_intake(session.stage.known_name, session.client, session.stage.table))


def show(session: Session) -> Answer:
    """Say whether the intake is paused, since when and by whom."""
    from operations.pause_intake import show_intake

    return _answer(show_intake(session.stage.known_name, session.client, session.stage.table))


def _answer(outcome: "Outcome") -> Answer:
    data: dict[str, Any] = {"paused_at": outcome.paused_at, "paused_by": outcome.paused_by}
    if outcome.paused_at is None:
        return Answer(data, sentence("The intake is open."))
    by = f" by {outcome.paused_by}" if outcome.paused_by else ""
    text = f"The intake is paused since {outcome.paused_at}{by}. `recordings intake resume` lets it go on."
    return Answer(data, sentence(text))
