"""The command `upload`: a file becomes a recording."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.answer import Answer, sentence
from cli.commands import options
from cli.commands.story import answer_at_end
from cli.errors import NotFound, UsageWrong
from cli.session import Session
from cli.values import request_body


def upload(
    session: Session,
    file: Annotated[Path, typer.Argument(help="A recording: mp4, m4a, mp3, wav and more.")],
    name: Annotated[str | None, typer.Option(help="The name to show. By default that of the file.")] = None,
    content_type: Annotated[str | None, typer.Option(help="By default that of the name's suffix.")] = None,
    provider: options.Provider = None,
    option: options.OfProvider = None,
    reference: options.Reference = None,
    metadata: options.Metadata = None,
    speaker: options.Speakers = None,
    insights: options.Insights = None,
    request: options.Request = None,
    idempotency_key: options.Key = None,
    wait: options.Wait = False,
) -> Answer:
    """Send a file to the stage and have it processed as a recording."""
    size = _checked_size(file, name or file.name)
    given = options.fields(provider, option, reference, metadata, speaker, insights)
    own = {"name": name or file.name, "size": size, **({"content_type": content_type} if content_type else {})}
    header = options.key_header(idempotency_key)
    opened = session.api.call("POST", "/uploads", {**request_body(request), **own, **given}, headers=header)
    recording = opened["recording_id"]
    if link := opened.pop("upload", None):
        _send(session, file, link, size, recording, header["idempotency-key"])
    words = f"The file is there: recording {recording}."
    if not wait:
        return Answer(opened, sentence(words), [session.command("watch", recording)])
    session.say(words)
    return answer_at_end(session, recording)


def _send(session: Session, file: Path, link: Mapping[str, Any], size: int, recording: str, key: str) -> None:
    """Send the file. If that fails or is interrupted, say what is left and how to go on."""
    from cli.sending import send_file

    try:
        send_file(session, file, link, size)
    except BaseException:
        session.say(f"Recording {recording} waits for its file. Repeat the command with --idempotency-key {key},")
        session.say("or leave it: the sweep ends it as empty an hour after its link has ended.")
        raise


def _checked_size(file: Path, name: str) -> int:
    """Return the size in bytes of a file that a stage takes.

    Raises:
        NotFound: there is no such file.
        UsageWrong: the file is empty, or its name has a suffix that no stage takes.
    """
    from recording_insights.model.media_object import SUFFIXES

    if not file.is_file():
        raise NotFound(f"{file}: there is no such file.")
    if not name.lower().endswith(SUFFIXES):
        raise UsageWrong(f"{name}: a stage takes no such file. Give one in these formats: {', '.join(SUFFIXES)}.")
    size = file.stat().st_size
    if size == 0:
        raise UsageWrong(f"{file}: the file is empty.")
    return size
