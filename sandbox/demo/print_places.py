"""Prints where the local stack keeps the result of the demo."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from cli.visible import visible


def print_places(console: Console, outputs: Mapping[str, str], recording: Mapping[str, Any]) -> None:
    """Print where the recording's row, media and raw replies are stored. `outputs` are those of the stack."""
    console.rule("Where it is stored")
    places = [("row", f"table {outputs['InsightsTableName']}, pk {recording['recording_id']}")]
    for media in recording.get("media", []):
        places.append(("recording", f"s3://{outputs['RecordingsBucketName']}/{media['key']}"))
        if media.get("reply"):
            places.append(("raw reply", f"s3://{outputs['RepliesBucketName']}/{media['reply']}"))
    for name, place in places:
        # Not in a table, which would cut a long place off: people copy it from here.
        console.print(visible(f"{name:<11}{place}"), soft_wrap=True, highlight=False, markup=False)
