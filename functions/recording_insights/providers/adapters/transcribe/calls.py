"""Batch jobs of Amazon Transcribe: start a job on the object in S3, poll it by name, read the transcript it writes.

We choose the name of the job, and it is unique in the account: a repeated start finds the first job and costs nothing.
AWS reads the media and writes the transcript with the permissions of the caller. So a job needs no link, no secret and
no role of its own.
Source: https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartTranscriptionJob.html
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from recording_insights.aws.reply_bucket import OUTPUTS, read_reply
from recording_insights.errors import JobNotFound, ProviderRejected, ProviderUnavailable
from recording_insights.model.insights import Insights
from recording_insights.providers.adapters.transcribe import reading
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import AwsService, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.aws import ask_aws
from recording_insights.providers.toolkit.http import TIMEOUT
from recording_insights.providers.toolkit.values import NO_REASON
from recording_insights.redaction import vendor_message

DEFAULT_SPEAKERS = 10

_REGIONS: dict[str, str] = dict(
    re.findall(
        r"(\w+)-(\w+)",
        "af-ZA ar-SA am-ET cy-GB da-DK de-DE en-US es-ES fa-IR fr-FR ga-IE gd-GB he-IL hi-IN ht-HT id-ID it-IT ja-JP "
        "jv-ID km-KH ko-KR my-MM ms-MY nl-NL pt-BR ru-RU ta-IN te-IN tr-TR zh-CN th-TH vi-VN sv-SE ab-GE ast-ES az-AZ "
        "ba-RU be-BY bg-BG bn-IN bs-BA ca-ES ckb-IQ cs-CZ el-GR et-EE eu-ES fi-FI gl-ES gu-IN ha-NG hr-HR hu-HU hy-AM "
        "is-IS ka-GE kab-DZ kk-KZ kn-IN ky-KG lg-IN lt-LT lv-LV mhr-RU mi-NZ mk-MK ml-IN mn-MN mr-IN mt-MT no-NO ne-NP "
        "or-IN pa-IN pl-PL ps-AF ro-RO rw-RW si-LK sk-SK sl-SI so-SO sq-AL sr-RS su-ID sw-KE tl-PH tt-RU ug-CN uk-UA "
        "uz-UZ wo-SN zu-ZA",
    )
)
"""The region to add to a language alone: every language code of Transcribe has a region."""
_REDACTED_LANGUAGES = ("de-CH", "de-DE", "en-US", "es-US", "fr-CA", "fr-FR", "it-IT", "pt-BR", "pt-PT")
"""The languages that Transcribe redacts in batch jobs. It redacts nothing while it identifies the language.

Source: https://docs.aws.amazon.com/transcribe/latest/dg/pii-redaction-batch.html and /dg/doc-history.html
"""
_OTHER_NAMES = {"nb": "no", "fil": "tl"}
"""Languages whose code in BCP 47 differs from Transcribe's."""
_TOO_LITTLE_SPEECH = re.compile(r"speech segment long enough|someone speaking|length is too small", re.IGNORECASE)
"""In the reason of a job that failed because nobody speaks in the media, or not for long enough.

Source: https://github.com/awsdocs/amazon-transcribe-developer-guide/issues/12, and users' reports
"""
_INTERNAL_FAILURE = re.compile(r"(there was )?(an )?internal (service )?(failure|error)\b(?!:)", re.IGNORECASE)
"""Begins the reason of a job that failed by a fault of the service: the words of its `InternalFailureException`.

All reasons that the API reference lists for a job are about the media.
Source: https://docs.aws.amazon.com/transcribe/latest/APIReference/API_TranscriptionJob.html
"""
_UNKNOWN = frozenset({"NotFoundException", "BadRequestException"})
"""Codes for an unknown job. The API documents the first one, but the service has returned the second."""
_NO_WORDS: Mapping[str, Any] = {"results": {"transcripts": [], "items": []}}


class Transcribe:
    """The adapter. It calls AWS with the role of the function; `endpoint_url` replaces the endpoint of AWS.

    `kms_key_arn` is the key that Transcribe encrypts transcripts with. Without one it uses a key of S3, whatever the
    bucket's default is.
    """

    capabilities = Capabilities(
        takes="s3",
        # AWS documents no speed. Its event ends the wait; polls are for an event that is lost.
        pace=Pace(start_seconds=5, share=0.25),
        max_bytes=2 * 1024**3,
        max_minutes=240,
        callback="optional",
        result_by="poll",
        aws_service=AwsService(
            name="transcribe",
            start="StartTranscriptionJob",
            output_bucket="OutputBucketName",
            output_key="OutputKey",
            get="GetTranscriptionJob",
            delete="DeleteTranscriptionJob",
            job_resource="transcription-job",
            detail_type="Transcribe Job State Change",
            job_name="TranscriptionJobName",
            job_status="TranscriptionJobStatus",
            ended=("COMPLETED", "FAILED"),
        ),
    )

    def __init__(
        self,
        endpoint_url: str | None = None,
        *,
        job_prefix: str = "",
        kms_key_arn: str | None = None,
        transcribe: Any = None,
        s3: Any = None,
    ) -> None:
        self._endpoint_url = endpoint_url
        self._job_prefix = job_prefix
        self._encryption = {"OutputEncryptionKMSKeyId": kms_key_arn} if kms_key_arn else {}
        self._given_transcribe = transcribe
        self._given_s3 = s3

    @cached_property
    def _transcribe(self) -> Any:
        if self._given_transcribe is not None:
            return self._given_transcribe
        # Imported late: "Save insights" reads replies through the same adapter and calls no vendor.
        import boto3
        from botocore.config import Config

        connect, read = TIMEOUT
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=connect, read_timeout=read)
        return boto3.client("transcribe", endpoint_url=self._endpoint_url, config=config)

    @cached_property
    def _s3(self) -> Any:
        if self._given_s3 is not None:
            return self._given_s3
        from recording_insights.aws.clients import s3

        return s3()

    def submit(self, submission: Submission, job: Job, keep: Callable[[Job], None]) -> Job:
        """Start the job with the name of the submission; a job of this name was started by an earlier attempt."""
        media, bucket, name = submission.media, submission.delivery.bucket, f"{self._job_prefix}{submission.name}"
        # Not under the prefix of the deliveries: we fetch the transcript, and AWS writes a test file next to it.
        key = f"{OUTPUTS}{name}.json"
        request = {
            "TranscriptionJobName": name,
            "Media": {"MediaFileUri": f"s3://{media.bucket}/{media.key}"},
            "MediaFormat": media.format,
            "OutputBucketName": bucket,
            "OutputKey": key,
            **self._encryption,
            **_settings(submission.options),
        }
        start = self._transcribe.start_transcription_job
        reply = ask_aws(lambda: start(**request), none_if={"ConflictException"})
        if reply is not None:
            _job_of(reply)
        is_redacted = {"redacted": True} if "ContentRedaction" in request else {}
        return {"name": name, "bucket": bucket, "key": key, **is_redacted}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """Return the job's state. AWS keeps jobs for 90 days and knows no older ones.

        A job that failed for want of speech is an empty transcript, with a `missing` reason.
        """
        found = self._find(job)
        if found is None:
            raise JobNotFound("Transcribe knows no job of this name")
        word = vendor_message(found.get("TranscriptionJobStatus") or "unknown")
        if word == "FAILED":
            reason = vendor_message(found.get("FailureReason") or NO_REASON)
            if _lacks_speech(found):
                return JobState("succeeded", word, missing=[f"transcript: {reason}"])
            is_providers_fault = _INTERNAL_FAILURE.match(reason) is not None
            return JobState(
                "failed", word, f"Transcribe failed the job: {reason}", is_providers_fault=is_providers_fault
            )
        return JobState("succeeded" if word == "COMPLETED" else "running", word)

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """Read the transcript that Transcribe wrote to our bucket.

        A job that failed for want of speech has none: its transcript is empty. Of a job that redacts, there is only a
        redacted transcript, and the job says where.
        """
        key, get = self._transcript_key(job), self._s3.get_object
        place = {"Bucket": job["bucket"], "Key": key}
        reply: bytes | None = None
        if key:
            reply = ask_aws(lambda: read_reply(get(**place)["Body"], key), none_if={"NoSuchKey"})
        if reply is None:
            found = self._find(job)
            if found and _lacks_speech(found):
                return json.dumps({"jobName": job["name"], "status": "FAILED", **_NO_WORDS}).encode()
            raise ProviderUnavailable("Transcribe's transcript is not at the key that the job names")
        try:
            reading.transcript_results(reply)
        except (LookupError, TypeError, ValueError):
            raise ProviderUnavailable("the file that Transcribe wrote is not a transcript") from None
        return reply

    def read_insights(self, reply: bytes) -> Insights:
        """Normalise a transcript file."""
        return reading.read_insights(reply)

    def delete(self, job: Job) -> bool:
        """Delete the job. The transcript is in our bucket, and goes with the replies.

        Source: https://docs.aws.amazon.com/transcribe/latest/APIReference/API_DeleteTranscriptionJob.html
        """
        if not job.get("name"):
            return False
        delete = self._transcribe.delete_transcription_job
        ask_aws(lambda: delete(TranscriptionJobName=job["name"]), none_if=_UNKNOWN)
        return True

    def verify_access(self) -> str:
        """List one job, with the credentials of the client. The functions have no right to list.

        Source: https://docs.aws.amazon.com/transcribe/latest/APIReference/API_ListTranscriptionJobs.html
        """
        list_jobs = self._transcribe.list_transcription_jobs
        reply = ask_aws(lambda: list_jobs(MaxResults=1), none_if=())
        if not isinstance(reply, dict) or "TranscriptionJobSummaries" not in reply:
            raise ProviderUnavailable("Transcribe answered without a list of jobs")
        return "Transcribe lists the jobs of the account."

    def _transcript_key(self, job: Job) -> str | None:
        """Return the key of the transcript. Transcribe names a redacted one by itself; None if the job has none."""
        if not job.get("redacted"):
            return str(job["key"])
        transcript = (self._find(job) or {}).get("Transcript") or {}
        path = unquote(urlsplit(transcript.get("RedactedTranscriptFileUri") or "").path).lstrip("/")
        return path.removeprefix(f"{job['bucket']}/") or None

    def _find(self, job: Job) -> Mapping[str, Any] | None:
        """Return the job as AWS knows it, or None."""
        get = self._transcribe.get_transcription_job
        reply = ask_aws(lambda: get(TranscriptionJobName=job["name"]), none_if=_UNKNOWN)
        return None if reply is None else _job_of(reply)


def _settings(options: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "ShowSpeakerLabels": True,
        "MaxSpeakerLabels": options.get("speakers", DEFAULT_SPEAKERS),
    }
    if "vocabulary_name" in options:
        if "language" not in options:
            # A vocabulary belongs to one language: AWS refuses this parameter while it identifies the language.
            raise ProviderRejected("the option vocabulary_name needs the option language: set both")
        settings["VocabularyName"] = options["vocabulary_name"]
    if "language" in options:
        language = {"LanguageCode": _language_code(options["language"])}
        return {**language, "Settings": settings, **_redaction(options, language["LanguageCode"])}
    return {"IdentifyLanguage": True, "Settings": settings, **_redaction(options, None)}


def _redaction(options: Mapping[str, Any], language_code: str | None) -> dict[str, Any]:
    """Return the parameter that redacts. `redacted` alone: no unredacted transcript is written anywhere."""
    entities = options.get("redact_pii")
    if not entities:
        return {}
    if language_code not in _REDACTED_LANGUAGES:
        allowed = ", ".join(_REDACTED_LANGUAGES)
        raise ProviderRejected(f"the option redact_pii needs the option language: one of {allowed}")
    redaction = {"RedactionType": "PII", "RedactionOutput": "redacted", "PiiEntityTypes": list(entities)}
    return {"ContentRedaction": redaction}


def _language_code(tag: str) -> str:
    """Return Transcribe's code, language and region, of a BCP 47 tag. AWS refuses an unknown code by name."""
    language, *rest = tag.split("-")
    language = _OTHER_NAMES.get(language, language)
    given = [part for part in rest if len(part) < 4]
    region = "".join(given) or _REGIONS.get(language)
    if rest == ["Hant"]:
        region = "TW"
    return f"{language}-{region}" if region else language


def _lacks_speech(job: Mapping[str, Any]) -> bool:
    is_failed = job.get("TranscriptionJobStatus") == "FAILED"
    return is_failed and _TOO_LITTLE_SPEECH.search(str(job.get("FailureReason"))) is not None


def _job_of(reply: Any) -> Mapping[str, Any]:
    job = reply.get("TranscriptionJob") if isinstance(reply, dict) else None
    if not isinstance(job, dict) or not job:
        raise ProviderUnavailable("Transcribe answered without the job")
    return job
