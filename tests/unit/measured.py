"""What a test has measured, from the lines in the log that CloudWatch reads."""

import json
from typing import Any


def measured(text: str) -> list[tuple[str, float, dict[str, Any]]]:
    """Return name, value and dimensions of each measure in a log."""
    found = []
    for line in text.splitlines():
        if not line.startswith('{"_aws"'):
            continue
        document = json.loads(line)
        [directive] = document["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "RecordingInsights/dev"
        [names], [metric] = directive["Dimensions"], directive["Metrics"]
        [value] = document[metric["Name"]]
        found.append((metric["Name"], value, {name: document[name] for name in names}))
    return found
