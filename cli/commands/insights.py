"""Commands about transcripts and insights."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.answer import Answer, sentence
from cli.errors import UsageWrong
from cli.session import Session
from cli.values import recording_id
from cli.visible import visible, visible_json

if TYPE_CHECKING:
    from rich.console import Console

Format = Literal["srt", "vtt", "txt", "md", "csv", "html", "json"]
Id = Annotated[str, typer.Argument(metavar="ID", help="The recording.")]


def show_insights(session: Session, recording: Id) -> Answer:
    """Show the transcript with its speakers, and what was found in it."""
    found = whole_insights(session, recording_id(recording))

    def show(console: "Console") -> None:
        from cli.terminal.insights import print_insights, print_transcript

        print_transcript(console, found)
        print_insights(console, found)

    return Answer(found, show, [session.command("insights", "export", found["recording_id"], "--format", "srt")])


def export_insights(
    session: Session,
    recording: Id,
    kind: Annotated[Format, typer.Option("--format", help="srt and vtt are captions, the others hold everything.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file. By default standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> Answer | None:
    """Write transcript and insights as a file: captions, text, a table or a page."""
    from cli.output_file import write_file

    wanted = recording_id(recording)
    if session.as_json and output is None and kind != "json":
        raise UsageWrong("With --json the output says what was written, so name the file: --output FILE.")
    if kind == "json":
        found = whole_insights(session, wanted)
        if session.as_json and output is None:
            return Answer(found, sentence(""))
        content = (visible_json(found) + "\n").encode()
    else:
        content = session.api.answer("GET", f"/recordings/{wanted}/insights", query={"format": kind}).content
    if output is None:
        _print(content)
        return None
    write_file(output, content, force=force)
    written = {"recording_id": wanted, "format": kind, "file": str(output), "bytes": len(content)}
    return Answer(written, sentence(f"{output}: {len(content)} bytes."))


def whole_insights(session: Session, wanted: str) -> dict[str, Any]:
    """Return the insights of a recording with all lines of its transcript, in the order of their times."""
    lines: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = session.api.call("GET", f"/recordings/{wanted}/insights", query={"cursor": cursor})
        lines += page["transcript"]
        cursor = page.pop("cursor", None)
        if cursor is None:
            break
    # The lines of a track that ended between two pages are on the later one. Those without a time stay where they are.
    if all("start_ms" in line for line in lines):
        lines.sort(key=lambda line: line["start_ms"])
    return {**page, "transcript": lines}


def _print(content: bytes) -> None:
    """Write the bytes as they are to a file or a pipe. A terminal gets text that does not control it."""
    if sys.stdout.isatty():
        print(visible(content.decode(errors="replace")), end="")
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
