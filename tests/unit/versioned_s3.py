"""The calls of S3 that delete versions, on objects in memory that keep all of their versions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PAGE = 3
"""Versions that one list names: few, so that most places have more than one page."""


@dataclass
class VersionedS3:
    """`versions` are (bucket, key, version id); `through` is called with each deletion, and may end the function."""

    versions: list[tuple[str, str, str]] = field(default_factory=list)
    markers: list[tuple[str, str, str]] = field(default_factory=list)
    through: Callable[..., Any] = lambda call, **arguments: call(**arguments)
    refuses: str = ""

    def put(self, bucket: str, *keys: str) -> None:
        """Add a version of each key."""
        self.versions += [(bucket, key, f"v{len(self.versions) + number}") for number, key in enumerate(keys)]

    def hide(self, bucket: str, key: str) -> None:
        """Delete a key as callers without a version id do: a marker comes on top."""
        self.markers.append((bucket, key, f"m{len(self.markers)}"))

    def keys(self) -> set[str]:
        """The keys of which anything is left."""
        return {key for _, key, _ in (*self.versions, *self.markers)}

    def get_paginator(self, name: str) -> "VersionedS3":
        assert name == "list_object_versions"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[Mapping[str, Any]]:
        assert Prefix, "an erase lists no whole bucket"
        found = [("Versions", entry) for entry in self.versions] + [("DeleteMarkers", entry) for entry in self.markers]
        found = [(kind, entry) for kind, entry in found if entry[0] == Bucket and entry[1].startswith(Prefix)]
        found.sort(key=lambda each: each[1][1:])
        for first in range(0, len(found), PAGE):
            page: dict[str, Any] = {}
            for kind, (_, key, version) in found[first : first + PAGE]:
                page.setdefault(kind, []).append({"Key": key, "VersionId": version})
            yield page

    def delete_objects(self, *, Bucket: str, Delete: Mapping[str, Any]) -> dict[str, Any]:
        assert Delete["Quiet"] is True
        assert 1 <= len(Delete["Objects"]) <= 1000
        reply: dict[str, Any] = self.through(self._delete, bucket=Bucket, objects=Delete["Objects"])
        return reply

    def _delete(self, *, bucket: str, objects: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        errors = [{"Key": each["Key"], "Code": self.refuses} for each in objects if self.refuses]
        if errors:
            return {"Errors": errors}
        gone = {(bucket, each["Key"], each["VersionId"]) for each in objects}
        self.versions = [entry for entry in self.versions if entry not in gone]
        self.markers = [entry for entry in self.markers if entry not in gone]
        return {}
