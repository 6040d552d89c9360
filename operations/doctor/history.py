"""Media in the bucket from before the stack, which no event announced to it."""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice, takewhile

from operations.doctor.bucket import RECORDINGS
from operations.doctor.check import check
from operations.doctor.findings import Symptom, ok, wrong
from operations.doctor.patient import Patient, command
from recording_insights.aws.recordings_bucket import StoredFile, stored_file
from recording_insights.model.media_object import SUFFIXES, TRACKS
from recording_insights.store.recordings import RecordingStore
from recording_insights.sweep.media_without_row import without_row_in_folder

MOST_KEYS = 1000
"""Keys that are looked at: one call."""
MOST_MEDIA = 50
"""Media without a row that are counted. Rows of as many recordings are read one after the other."""
_ENDINGS = (*SUFFIXES, TRACKS.rpartition("*")[2])


@check(
    "history",
    "cloudformation:DescribeStacks",
    "s3:ListBucket",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "kms:Decrypt",
)
def history(patient: Patient) -> Iterator[Symptom]:
    """Media that lay in the bucket before the stack was there have been taken in."""
    bucket, created_at = patient.outputs[RECORDINGS], patient.created_at()
    answer = patient.aws("s3").list_objects_v2(Bucket=bucket, MaxKeys=MOST_KEYS)
    listed = [stored_file(each) for each in answer.get("Contents", ())]
    old = [file for file in listed if file.modified < created_at and file.key.lower().endswith(_ENDINGS)]
    found = list(islice(_without_row(patient, bucket, old), MOST_MEDIA))
    looked = f"the first {MOST_KEYS} objects" if answer.get("IsTruncated") else "all objects"
    if not found:
        yield ok(f"Nothing from before the stack waits to be taken in; {looked} of the bucket were looked at.")
        return
    prefix = _common_prefix(found)
    count = f"at least {MOST_MEDIA}" if len(found) == MOST_MEDIA else str(len(found))
    yield wrong(
        f"Media from before the stack were never processed: {count} among {looked} of the bucket, first {found[0]!r}.",
        command("recordings", "backfill", prefix, "--stage", patient.stage),
    )


def _without_row(patient: Patient, bucket: str, files: Sequence[StoredFile]) -> Iterator[str]:
    """Yield the keys of media that no row is for."""
    if not files:
        return
    store = RecordingStore(patient.table())
    for _, folder in groupby(files, key=lambda file: file.key.rpartition("/")[0]):
        for media in without_row_in_folder(list(folder), bucket, store):
            yield media.playlist or media.key


def _common_prefix(keys: Sequence[str]) -> str:
    """Return the folder that all keys share. If they share none, return the first folder, or the first key itself."""
    folders = [key.split("/")[:-1] for key in keys]
    shared = list(takewhile(lambda names: len({*names}) == 1, zip(*folders, strict=False)))
    folder = [names[0] for names in shared] or folders[0][:1]
    return "/".join((*folder, "")) if folder else keys[0]
