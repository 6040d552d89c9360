"""Where the demo says that its result is."""

import io

from rich.console import Console

from sandbox.demo.print_places import print_places


def test_places_can_be_copied_whole() -> None:
    to = Console(file=io.StringIO(), width=60)
    outputs = {"InsightsTableName": "table", "RecordingsBucketName": "r" * 63, "RepliesBucketName": "replies"}
    media = [{"key": "k" * 90, "reply": "reply.json"}, {"key": "waits"}]
    print_places(to, outputs, {"recording_id": "0d28", "media": media})
    assert isinstance(to.file, io.StringIO)
    assert to.file.getvalue().splitlines()[1:] == [
        "row        table table, pk 0d28",
        f"recording  s3://{'r' * 63}/{'k' * 90}",
        "raw reply  s3://replies/reply.json",
        f"recording  s3://{'r' * 63}/waits",
    ]
