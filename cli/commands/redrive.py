"""Commands about dead letters: what lies in which queue, and how it comes back."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.answer import Answer, sentence, table
from cli.commands.sweep import answer_of, sweep_now
from cli.errors import NotFound
from cli.session import Session
from cli.visible import visible, visible_json

if TYPE_CHECKING:
    from rich.console import Console

    from operations.dead_letters import DeadLetterQueues, Queue

COLUMNS = {
    "QUEUE": lambda row: row["queue"],
    "MESSAGES": lambda row: row["messages"],
    "OLDEST SEEN": lambda row: row["oldest_at"],
    "WHAT": lambda row: row["letters"],
    "PAGE": lambda row: f"docs/{row['section']}",
}
Name = Annotated[str, typer.Argument(metavar="QUEUE", help="The queue, as `redrive list` names it.")]


def list_queues(session: Session) -> Answer:
    """List the queues of dead letters: how many messages they hold and since when, what these are.

    Up to ten messages tell how old a queue is, since SQS names no oldest one.
    """
    queues = _queues(session)
    rows = [queues.standing(queue).document() for queue in queues.queues]
    steps = [f"recordings redrive show {row['queue']}" for row in rows if row["messages"]]
    return Answer(rows, table(COLUMNS, rows, empty="The stage has no such queues."), steps)


def show(
    session: Session,
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many messages.")] = 10,
) -> Answer:
    """Show dead letters, without secrets, and why they failed if their service said it. They stay in the queue."""
    queues = _queues(session)
    queue = _named(queues, name)
    letters = [asdict(letter) for letter in queues.show(queue, limit)]

    def print_letters(console: "Console") -> None:
        if not letters:
            sentence(f"There are no dead letters: {queue.letters}.")(console)
        for letter in letters:
            console.print(visible(_head(letter)), markup=False, highlight=False, soft_wrap=True)
            body = letter["body"]
            text = visible(body) if isinstance(body, str) else visible_json(body)
            console.print(text, markup=False, highlight=False, soft_wrap=True)

    return Answer(letters, print_letters, [f"recordings redrive send {name}"] if letters else [])


def _head(letter: dict[str, Any]) -> str:
    why = "".join(f", {word}: {said}" for word, said in letter["why"].items())
    return f"{letter['message_id']}  sent {letter['sent_at']}, received {letter['received']} times{why}"


def send(
    session: Session,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> Answer:
    """Have the dead letters of a queue processed again, after their cause was removed.

    SQS moves the messages back. Those of `functions` are handled by a sweep instead.
    """
    queues = _queues(session)
    queue = _named(queues, name)
    count = queues.standing(queue).messages
    data: dict[str, Any] = {"queue": name, "messages": count, "moved": 0, "dry_run": dry_run}
    if not count:
        return Answer(data, sentence(f"There are no dead letters: {queue.letters}."))
    noun = "message" if count == 1 else "messages"
    what = f"{count} {noun} of {name} ({queue.letters})"
    if dry_run:
        how = "a sweep would handle" if queue.is_swept else "SQS would move back"
        return Answer(data, sentence(f"On {session.stage.described}: {how} {what}."))
    session.confirm(f"{'a sweep handles' if queue.is_swept else 'SQS moves back'} {what}.", yes=yes)
    if queue.is_swept:
        return answer_of(sweep_now(session))
    data["moved"] = queues.move_back(queue, session.say)
    left = (
        "" if data["moved"] >= count else " SQS goes on with the others: `recordings redrive list` shows what is left."
    )
    return Answer(data, sentence(f"SQS has moved {data['moved']} of {count} {noun} back.{left}"))


def _queues(session: Session) -> "DeadLetterQueues":
    from operations.dead_letters import DeadLetterQueues

    return DeadLetterQueues(session.client("sqs"), session.outputs, time.sleep)


def _named(queues: "DeadLetterQueues", name: str) -> "Queue":
    for queue in queues.queues:
        if queue.name == name:
            return queue
    known = ", ".join(queue.name for queue in queues.queues)
    raise NotFound(f"The stage has no queue {name!r} of dead letters: it has {known}.")
