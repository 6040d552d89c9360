"""Amazon Transcribe, batch jobs: start one on the object as it lies in S3, poll it by name, read what it lays down.

The job's name is ours and unique in the account, so a repeated start finds the first one and buys nothing. AWS reads
the media and writes the transcript with the permissions of whoever calls, hence no link, no secret and no role.
Source: https://docs.aws.amazon.com/transcribe/latest/APIReference/API_StartTranscriptionJob.html
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from recording_insights.aws.reply_bucket import OUTPUTS
from recording_insights.errors import ProviderRejected, ProviderUnavailable
from recording_insights.model.insights import Insights, Utterance
from recording_insights.providers.pacing import Pace
from recording_insights.providers.port import AwsService, Capabilities, Job, JobState, Submission
from recording_insights.providers.toolkit.aws import ask_aws
from recording_insights.providers.toolkit.http import TIMEOUT
from recording_insights.providers.toolkit.json import parse_json
from recording_insights.providers.toolkit.values import Word, exact, maps, ms_of_seconds, optional_text, utterances_of
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
"""The region for a language alone: Transcribe names no language without one."""
_OTHER_NAMES = {"nb": "no", "fil": "tl"}
"""Languages that BCP 47 and Transcribe call by different names."""

_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
_FALSE_SPACE = re.compile(f"(?<=[{_NO_SPACES}]) (?=[{_NO_SPACES}])")
"""Between words of scripts that write none."""


class Transcribe:
    """The adapter; it calls AWS as whoever runs it. `endpoint_url` is another Transcribe than AWS's."""

    capabilities = Capabilities(
        takes="s3",
        formats=frozenset({"mp3", "mp4", "wav", "flac", "ogg", "amr", "webm", "m4a"}),
        # AWS promises no speed; its event ends the wait, polls are for the event that got lost.
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
            job_resource="transcription-job",
            detail_type="Transcribe Job State Change",
            job_name="TranscriptionJobName",
        ),
    )

    def __init__(self, endpoint_url: str | None = None, *, transcribe: Any = None, s3: Any = None) -> None:
        self._endpoint_url = endpoint_url
        self._given_transcribe = transcribe
        self._given_s3 = s3

    @cached_property
    def _transcribe(self) -> Any:
        if self._given_transcribe is not None:
            return self._given_transcribe
        # Imported late: "Save insights" reads replies through the same adapter and calls nobody.
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
        """Start the job of this name; if it exists already, an earlier try did."""
        media, bucket = submission.media, submission.delivery.bucket
        # Beside the deliveries, not among them: the transcript is fetched, and AWS lays a test file next to it.
        key = f"{OUTPUTS}{submission.name}.json"
        request = {
            "TranscriptionJobName": submission.name,
            "Media": {"MediaFileUri": f"s3://{media.bucket}/{media.key}"},
            "MediaFormat": media.format,
            "OutputBucketName": bucket,
            "OutputKey": key,
            **_settings(submission.options),
        }
        start = self._transcribe.start_transcription_job
        reply = ask_aws(lambda: start(**request), none_if={"ConflictException"})
        if reply is not None:
            _job_of(reply)
        return {"name": submission.name, "bucket": bucket, "key": key}

    def poll(self, job: Job, delivered: bytes | None) -> JobState:
        """The job's state; one that AWS knows no more (it keeps jobs for 90 days) has failed."""
        get = self._transcribe.get_transcription_job
        # The API names the first for a job it does not know; the service has been seen to answer the second.
        unknown = {"NotFoundException", "BadRequestException"}
        reply = ask_aws(lambda: get(TranscriptionJobName=job["name"]), none_if=unknown)
        if reply is None:
            return JobState("failed", "NOT_FOUND", "Transcribe knows no job of this name")
        found = _job_of(reply)
        word = str(found.get("TranscriptionJobStatus") or "unknown")
        if word == "FAILED":
            reason = vendor_message(found.get("FailureReason") or "no reason given")
            return JobState("failed", word, f"Transcribe failed the job: {reason}")
        return JobState("succeeded" if word == "COMPLETED" else "running", word)

    def fetch(self, job: Job, delivered: bytes | None) -> bytes:
        """The transcript as Transcribe laid it into our bucket."""
        get = self._s3.get_object
        place = {"Bucket": job["bucket"], "Key": job["key"]}
        reply: bytes | None = ask_aws(lambda: get(**place)["Body"].read(), none_if={"NoSuchKey"})
        if reply is None:
            raise ProviderUnavailable("Transcribe's transcript is not where the job was to lay it")
        try:
            _results(reply)
        except (LookupError, TypeError, ValueError):
            raise ProviderUnavailable("Transcribe laid down something that is no transcript") from None
        return reply

    def read_insights(self, reply: bytes) -> Insights:
        """The transcript; Transcribe finds no sentiment, topics or questions."""
        results = _results(reply)
        said = utterances_of(_words(results)) or _segments(results) or _plain(results)
        return Insights(transcript=[replace(u, text=_FALSE_SPACE.sub("", u.text)) for u in said])


def _settings(options: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "ShowSpeakerLabels": True,
        "MaxSpeakerLabels": options.get("speakers", DEFAULT_SPEAKERS),
    }
    if "vocabulary_name" in options:
        if "language" not in options:
            # A vocabulary belongs to one language; AWS takes none by this name while it finds the language out.
            raise ProviderRejected("the option vocabulary_name needs the option language beside it")
        settings["VocabularyName"] = options["vocabulary_name"]
    if "language" in options:
        return {"LanguageCode": _language_code(options["language"]), "Settings": settings}
    return {"IdentifyLanguage": True, "Settings": settings}


def _language_code(tag: str) -> str:
    """Transcribe's code of a BCP 47 tag: language and region. One that it does not know, AWS will refuse by name."""
    language, *rest = tag.split("-")
    language = _OTHER_NAMES.get(language, language)
    given = [part for part in rest if len(part) < 4]
    region = "TW" if not given and rest == ["Hant"] else "".join(given) or _REGIONS.get(language)
    return f"{language}-{region}" if region else language


def _job_of(reply: Any) -> Mapping[str, Any]:
    job = reply.get("TranscriptionJob") if isinstance(reply, dict) else None
    if not isinstance(job, dict) or not job:
        raise ProviderUnavailable("Transcribe answered without the job")
    return job


def _results(reply: bytes) -> Mapping[str, Any]:
    results: Any = parse_json(reply)["results"]
    parts = ("items", "audio_segments", "transcripts")
    if not isinstance(results, dict) or not any(isinstance(results.get(part), list) for part in parts):
        raise LookupError("the results hold no transcript")
    return results


def _words(results: Mapping[str, Any]) -> list[Word]:
    """The items: words with times, and punctuation, which has none and ends the word before it."""
    labels = results.get("speaker_labels")
    # Older transcripts name the speakers only here, newer ones with each item too.
    speakers = {
        _span(item): item.get("speaker_label")
        for segment in maps(labels.get("segments") if isinstance(labels, dict) else None)
        for item in maps(segment.get("items"))
    }
    words: list[Word] = []
    for item in maps(results.get("items")):
        best = next(iter(maps(item.get("alternatives"))), {})
        text = optional_text(best.get("content"))
        if text is None:
            continue
        if item.get("type") == "punctuation":
            if words:
                words[-1] = replace(words[-1], text=words[-1].text + text)
            continue
        word = Word(
            text=text,
            start_ms=ms_of_seconds(item.get("start_time")),
            end_ms=ms_of_seconds(item.get("end_time")),
            speaker=optional_text(item.get("speaker_label") or speakers.get(_span(item))),
            confidence=exact(best.get("confidence")),
        )
        words.append(word)
    return words


def _span(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item.get("start_time")), str(item.get("end_time"))


def _segments(results: Mapping[str, Any]) -> list[Utterance]:
    return [
        Utterance(
            text=str(segment["transcript"]),
            speaker=optional_text(segment.get("speaker_label")),
            start_ms=ms_of_seconds(segment.get("start_time")),
            end_ms=ms_of_seconds(segment.get("end_time")),
        )
        for segment in maps(results.get("audio_segments"))
        if segment.get("transcript")
    ]


def _plain(results: Mapping[str, Any]) -> list[Utterance]:
    texts = [optional_text(entry.get("transcript")) for entry in maps(results.get("transcripts"))]
    return [Utterance(text=text) for text in texts if text]
