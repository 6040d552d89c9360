import json
from typing import Any

import pytest

from infra.settings import SETTINGS, ContextError, StackSettings, shown
from recording_insights.providers.registry import PROVIDERS
from recording_insights.recordings.media_links import LINK_MINUTES

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
NEEDED = {"stage": "dev", "provider": "marsview"}
ALL_KEYS = (
    *("stage", "provider", "otherProviders", "prefixProviders", "failover", "failoverMinutes", "marsviewOptions"),
    *("giveUpHours", "queueDays", "deepgramSlots", "pollCeilingMinutes", "lateFilesMinutes", "callbackWaitSeconds"),
    *("resultConcurrency", "linkMinutes"),
    *("mostTracksPerRecording", "mostMinutesPerRecording", "mostJobsPerRecording", "mostJobsPerDay"),
    *("webhookBaseUrl", "disableExecuteApiEndpoint", "logRetentionDays", "retainData"),
    *("mediaDays", "segmentsDays", "repliesDays", "insightsDays"),
    *("jwtIssuer", "jwtAudience", "jwtScopes", "corsOrigins", "throttles", "kmsKeyArn", "residency"),
    *("agoraBaseUrl", "marsviewBaseUrl", "alarmEmail", "alarmWebhook", "dailyBudget"),
    *("insightsModel", "insightsKinds", "insightsLanguage", "insightsPrompt", "insightsMaxCents"),
    *("insightsPricePerMillionTokens", "insightsGuardrail", "bedrockSlots"),
)


def faults_of(**context: Any) -> list[str]:
    with pytest.raises(ContextError) as raised:
        StackSettings.from_context({**NEEDED, **context})
    return str(raised.value).splitlines()


RETENTION = ("mediaDays", "segmentsDays", "repliesDays", "insightsDays")


@pytest.mark.parametrize("key", RETENTION)
def test_nothing_goes_that_may_still_be_waited_for(key: str) -> None:
    # 14 days of queue, 72 hours, 240 minutes and 60 minutes are a little more than 17 days.
    [fault] = faults_of(**{key: "17"})
    assert fault.startswith(f"{key}: 17 is too few; at least 18, since queueDays, giveUpHours,")
    StackSettings.from_context({**NEEDED, key: "18"})
    StackSettings.from_context({**NEEDED, key: "17", "lateFilesMinutes": "1", "pollCeilingMinutes": "1", **SHORT})


SHORT = {"queueDays": "1", "giveUpHours": "1"}


def test_replies_stay_as_long_as_results_that_are_not_yet_kept() -> None:
    [fault] = faults_of(**SHORT, repliesDays="13")
    assert fault == "repliesDays: 13 is too few; at least 14, which results have to be kept"
    StackSettings.from_context({**NEEDED, **SHORT, "repliesDays": "14", "mediaDays": "2"})


def test_what_the_sweep_deletes_needs_a_sweep() -> None:
    [fault] = faults_of(sweepMinutes="0", mediaDays="30", repliesDays="30", insightsDays="30")
    assert fault == "mediaDays, insightsDays: only with sweepMinutes, since the sweep begins the deletion"


def test_no_stage_lets_the_buckets_refuse_a_link_to_play_before_it_ends() -> None:
    assert SETTINGS["linkMinutes"].read.schema["minimum"] >= LINK_MINUTES


def test_stage_and_provider_are_enough() -> None:
    settings = StackSettings.from_context(NEEDED)

    assert (settings.stage, settings.provider, settings.provider_options) == ("dev", "marsview", {})
    assert not settings.local
    assert settings.retain_data


def test_everything_can_be_set_as_text_as_c_does() -> None:
    settings = StackSettings.from_context(
        {
            **NEEDED,
            "otherProviders": "deepgram, symbl",
            "prefixProviders": '{"interviews/": "transcribe,deepgram", "board/": ["symbl"]}',
            "failover": "assemblyai,transcribe",
            "failoverMinutes": "5",
            "callbackWaitSeconds": "60",
            "resultConcurrency": "5",
            "webhookBaseUrl": "https://hooks.example.com",
            "disableExecuteApiEndpoint": "true",
            "marsviewOptions": '{"speakers": 2, "models": ["speech_to_text"]}',
            "deepgramOptions": '{"language": "de"}',
            "giveUpHours": "5",
            "queueDays": "3",
            "mostTracksPerRecording": "20",
            "mostMinutesPerRecording": "600",
            "mostJobsPerRecording": "40",
            "mostJobsPerDay": "500",
            "deepgramSlots": "7",
            "symblSlots": "none",
            "pollCeilingMinutes": "1440",
            "lateFilesMinutes": "4320",
            "linkMinutes": "20",
            "logRetentionDays": "7",
            "alarmEmail": "on-call@example.com",
            "alarmWebhook": "https://events.example.com/recordings?key=1",
            "dailyBudget": "12.5",
            "retainData": "false",
            "mediaDays": "30",
            "segmentsDays": "14",
            "repliesDays": "60",
            "insightsDays": "365",
            "jwtIssuer": "https://issuer.example.com/",
            "jwtAudience": "client-1",
            "jwtScopes": '{"read": "api/see"}',
            "corsOrigins": "https://app.example.com, https://console.example.com:8443",
            "throttles": '{"write": 5}',
            "kmsKeyArn": KEY,
            "agoraBaseUrl": "https://agora.example.com",
            "marsviewBaseUrl": "https://marsview.example.com",
        }
    )

    assert settings == StackSettings(
        stage="dev",
        provider="marsview",
        other_providers=["deepgram", "symbl"],
        prefix_providers={"interviews/": ["transcribe", "deepgram"], "board/": ["symbl"]},
        failover=["assemblyai", "transcribe"],
        failover_minutes=5,
        callback_wait_seconds=60,
        result_concurrency=5,
        webhook_base_url="https://hooks.example.com",
        disable_execute_api_endpoint=True,
        provider_options={
            "marsview": {"speakers": 2, "models": ["speech_to_text"]},
            "deepgram": {"language": "de"},
        },
        base_urls={"agora": "https://agora.example.com", "marsview": "https://marsview.example.com"},
        give_up_hours=5,
        queue_days=3,
        most_tracks_per_recording=20,
        most_minutes_per_recording=600,
        most_jobs_per_recording=40,
        most_jobs_per_day=500,
        given_slots={"deepgram": 7, "symbl": None},
        poll_ceiling_minutes=1440,
        late_files_minutes=4320,
        link_minutes=20,
        log_retention_days=7,
        alarm_email="on-call@example.com",
        alarm_webhook="https://events.example.com/recordings?key=1",
        daily_budget=12.5,
        retain_data=False,
        media_days=30,
        segments_days=14,
        replies_days=60,
        insights_days=365,
        jwt_issuer="https://issuer.example.com/",
        jwt_audience="client-1",
        jwt_scopes={"read": "api/see", **{name: f"recordings:{name}" for name in ("write", "operate", "erase")}},
        cors_origins=["https://app.example.com", "https://console.example.com:8443"],
        throttles={"write": 5},
        kms_key_arn=KEY,
    )
    assert settings.providers == ["marsview", "deepgram", "symbl", "assemblyai", "transcribe"]


def test_everything_can_be_set_as_json_as_cdk_json_does() -> None:
    settings = StackSettings.from_context(
        {**NEEDED, "marsviewOptions": {"speakers": 2}, "linkMinutes": 30, "retainData": False, "failover": ["symbl"]}
    )

    assert settings.provider_options == {"marsview": {"speakers": 2}}
    assert (settings.link_minutes, settings.retain_data, settings.failover) == (30, False, ["symbl"])


@pytest.mark.parametrize(("context", "kept"), [({}, False), ({"retainData": True}, True)])
def test_the_local_stage_keeps_no_data_unless_told(context: dict[str, Any], kept: bool) -> None:
    settings = StackSettings.from_context({**NEEDED, "stage": "local", **context})

    assert settings.local
    assert settings.retain_data is kept


@pytest.mark.parametrize("key", ["linkMinute", "LinkMinutes", "providerOptions", "gladiaBaseUrl", ""])
def test_an_unknown_key_is_named_with_those_that_there_are(key: str) -> None:
    (fault,) = faults_of(**{key: "20"})

    assert fault.startswith(f"{key}: unknown; the settings are ")
    assert all(known in fault for known in ALL_KEYS)


@pytest.mark.parametrize(
    "key",
    [
        "@aws-cdk/core:newStyleStackSynthesis",
        "aws:cdk:enable-path-metadata",
        "aws-cdk:enableDiffNoFail",
        "availability-zones:account=111122223333:region=eu-central-1",
        "acknowledged-issue-numbers",
        "cli-telemetry",
    ],
)
def test_cdks_own_keys_are_left_alone(key: str) -> None:
    assert StackSettings.from_context({**NEEDED, key: [1]}) == StackSettings.from_context(NEEDED)


@pytest.mark.parametrize("key", ["stage", "provider"])
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(ContextError, match=f"^{key}: missing; "):
        StackSettings.from_context({name: value for name, value in NEEDED.items() if name != key})


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("stage", "Dev", "1 to 20 letters or digits"),
        ("stage", "", "1 to 20 letters or digits"),
        ("stage", "1dev", "a letter first"),
        ("stage", "d" * 21, "1 to 20"),
        ("stage", "my-stage", "letters or digits"),
        ("stage", "dev\n", "letters or digits"),
        ("stage", 7, "letters or digits"),
        ("provider", "gladia", f"one of {', '.join(PROVIDERS)}"),
        ("provider", "Marsview", f"one of {', '.join(PROVIDERS)}"),
        ("provider", None, "one of "),
        ("otherProviders", "marsview,marsview", "names out of"),
        ("otherProviders", "", "names out of"),
        ("failover", "marsview,gladia", "names out of"),
        ("failover", 3, "names out of"),
        ("failoverMinutes", "0", "1 to 1440"),
        ("mostJobsPerDay", "0", "1 to 1000000"),
        ("mostTracksPerRecording", "-1", "1 to 1000"),
        ("mostMinutesPerRecording", "1000000000", "1 to 100000"),
        ("prefixProviders", '{"": "symbl"}', "a JSON object such as"),
        ("prefixProviders", '{"a/": "gladia"}', "a JSON object such as"),
        ("prefixProviders", '{"a/": []}', "a JSON object such as"),
        ("prefixProviders", '{"a/": 7}', "a JSON object such as"),
        ("callbackWaitSeconds", "4", "5 to 86400"),
        ("alarmEmail", "on-call", "one e-mail address, such as on-call@example.com; confirm"),
        ("alarmEmail", "a@example.com,b@example.com", "one e-mail address"),
        ("alarmWebhook", "http://events.example.com/1", "an https URL without user and password"),
        ("alarmWebhook", "https://me:secret@events.example.com/1", "an https URL without user and password"),
        ("dailyBudget", "0", "US dollars a day from 0.01"),
        ("dailyBudget", "$50", "leave it out for no such alarm"),
        ("dailyBudget", "nan", "US dollars a day"),
        ("webhookBaseUrl", "localhost", "an http or https URL"),
        ("marsviewOptions", "{", "a JSON object"),
        ("marsviewOptions", "[]", "a JSON object"),
        ("symblOptions", 3, "a JSON object"),
        ("giveUpHours", "0", "1 to 336"),
        ("queueDays", "31", "1 to 30"),
        *(
            ("deepgramSlots", wrong, "from 1 to 1000, or none")
            for wrong in ("0", "-1", "1000000000", "", "None", "1.5")
        ),
        ("pollCeilingMinutes", 1441, "1 to 1440"),
        ("pollCeilingMinutes", "1h", "1 to 1440"),
        ("pollCeilingMinutes", 1.5, "1 to 1440"),
        ("pollCeilingMinutes", True, "1 to 1440"),
        ("lateFilesMinutes", "0", "1 to 4320"),
        ("lateFilesMinutes", "4321", "1 to 4320"),
        ("linkMinutes", "19", "20 to 720"),
        ("linkMinutes", "721", "20 to 720"),
        ("logRetentionDays", "2", "one of 1, 3, 5"),
        ("logRetentionDays", "forever", "one of 1, 3, 5"),
        *((key, wrong, "1 to 36500") for key in RETENTION for wrong in ("0", "forever", "36501")),
        ("retainData", "yes", "true or false"),
        ("retainData", 1, "true or false"),
        ("agoraBaseUrl", "localhost:9000", "an http or https URL"),
        ("agoraBaseUrl", "ftp://x", "an http or https URL"),
        ("marsviewBaseUrl", "https://", "an http or https URL"),
        ("marsviewBaseUrl", "https://a b", "an http or https URL"),
        ("kmsKeyArn", "1234abcd-12ab-34cd-56ef-1234567890ab", "the full ARN of a KMS key"),
        ("kmsKeyArn", "arn:aws:kms:eu-central-1:123456789012:alias/recordings", "an alias is not allowed"),
        ("kmsKeyArn", KEY.replace(":123456789012:", "::"), "arn:aws:kms:<region>:<account>:key/<key id>"),
        ("kmsKeyArn", KEY.replace(":kms:", ":s3:"), "the full ARN of a KMS key"),
        ("kmsKeyArn", f"{KEY}\n", "the full ARN of a KMS key"),
        *(
            ("jwtScopes", wrong, "scopes by class (read, write, operate, erase)")
            for wrong in ("yes", 1, "recordings:read", '["a"]', '{"reads": "a"}', '{"read": "a b"}', '{"read": ""}')
        ),
        *(
            ("corsOrigins", f"https://app.example.com{wrong}", "without a slash at the end")
            for wrong in ("/", "/path", "?x", "#x", ":port", " b", "\n.b", ",https://app.example.com", "@evil.example")
        ),
        *(
            ("corsOrigins", wrong, "origins without a path")
            for wrong in (
                "*",
                "https://*",
                "https://*.example.com",
                "app.example.com",
                "http://app.example.com",
                "null",
            )
        ),
        ("throttles", "5", "from 1 to 10000 by class (read, write, operate, erase)"),
        ("throttles", '{"reads": 5}', "from 1 to 10000 by class"),
        ("throttles", '{"read": 0}', "from 1 to 10000 by class"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(key: str, value: Any, allowed: str) -> None:
    (fault,) = faults_of(**{key: value})

    assert fault.startswith(f"{key}: {shown(key, value)!r} is not allowed; ")
    assert allowed in fault


@pytest.mark.parametrize(
    "arn",
    [
        KEY,
        f"{KEY.rpartition('/')[0]}/mrk-{'0f' * 16}",
        KEY.replace("arn:aws:kms:eu-central-1", "arn:aws-cn:kms:cn-north-1"),
    ],
)
def test_the_arn_of_a_key_is_taken_as_it_is(arn: str) -> None:
    assert StackSettings.from_context({**NEEDED, "kmsKeyArn": arn}).kms_key_arn == arn


INSIDE = "providers with one are assemblyai, deepgram, transcribe"


@pytest.mark.parametrize(
    ("context", "faults"),
    [
        (
            {"otherProviders": "symbl", "prefixProviders": '{"board/": "seameet"}'},
            [
                f"residency: {name} documents no host that keeps data in the residency EU; {INSIDE}"
                for name in ("symbl", "seameet")
            ],
        ),
        (
            {"deepgramBaseUrl": "https://api.deepgram.com", "marsviewBaseUrl": "https://proxy.example.com"},
            [
                "deepgramBaseUrl: 'https://api.deepgram.com' is not a host in EU; leave it out, or use "
                "https://api.eu.deepgram.com",
                "marsviewBaseUrl: 'https://proxy.example.com' is not a host in EU; leave it out",
            ],
        ),
        (
            {"transcribeBaseUrl": "https://transcribe.us-east-1.amazonaws.com"},
            ["transcribeBaseUrl: 'https://transcribe.us-east-1.amazonaws.com' is not a host in EU; leave it out"],
        ),
        (
            {"agoraBaseUrl": "https://api.agora.io"},
            [
                "agoraBaseUrl: 'https://api.agora.io' is not a host in EU; leave it out, or use "
                "https://api-eu-central-1.agora.io or https://api-eu-central-1.sd-rtn.com or "
                "https://api-eu-west-1.agora.io or https://api-eu-west-1.sd-rtn.com"
            ],
        ),
        ({"stage": "local"}, ["residency: not on the stage local, whose vendors are stand-ins"]),
    ],
)
def test_what_is_outside_of_the_residency_is_refused(context: dict[str, str], faults: list[str]) -> None:
    assert faults_of(**{"provider": "deepgram", "residency": "EU", **context}) == faults


@pytest.mark.parametrize("url", ["https://api.eu.deepgram.com", "https://api.eu.deepgram.com/"])
def test_the_documented_hosts_of_a_residency_may_be_named(url: str) -> None:
    context = {"stage": "dev", "provider": "deepgram", "failover": "transcribe,assemblyai", "residency": "EU"}
    hosts = {"deepgramBaseUrl": url, "agoraBaseUrl": "https://api-eu-west-1.sd-rtn.com"}
    assert StackSettings.from_context({**context, **hosts}).residency == "EU"


def test_the_local_stage_has_no_key_of_the_customer() -> None:
    assert faults_of(stage="local", kmsKeyArn=KEY) == ["kmsKeyArn: not on the stage local, whose cloud has no such key"]


@pytest.mark.parametrize(
    ("names", "caller"),
    [
        ({"provider": "assemblyai"}, "assemblyai"),
        ({"otherProviders": "transcribe,seameet"}, "seameet"),
        ({"failover": "symbl"}, "symbl"),
        ({"prefixProviders": '{"interviews/": "ringcentral"}'}, "ringcentral"),
    ],
)
def test_no_vendor_calls_an_address_that_answers_nobody(names: dict[str, str], caller: str) -> None:
    closed = {**names, "disableExecuteApiEndpoint": "true"}
    (fault,) = faults_of(**closed)
    assert fault == f"disableExecuteApiEndpoint: set webhookBaseUrl as well, the address that {caller} can call"
    behind_a_domain = {**NEEDED, **closed, "webhookBaseUrl": "https://hooks.example.com"}
    assert StackSettings.from_context(behind_a_domain).disable_execute_api_endpoint
    assert StackSettings.from_context({**NEEDED, "disableExecuteApiEndpoint": "true"}).disable_execute_api_endpoint
    assert not StackSettings.from_context({**NEEDED, **names}).disable_execute_api_endpoint


def test_a_laptop_has_no_other_address_than_the_apis_own() -> None:
    assert faults_of(stage="local", disableExecuteApiEndpoint=True) == [
        "disableExecuteApiEndpoint: not on the stage local, whose API has no other address"
    ]


@pytest.mark.parametrize(("key", "value"), [("jwtIssuer", "https://issuer.example.com"), ("jwtAudience", "client")])
def test_the_jwt_settings_go_together(key: str, value: str) -> None:
    assert faults_of(**{key: value}) == ["jwtIssuer, jwtAudience: only together"]


@pytest.mark.parametrize("key", ["webhookBaseUrl", "agoraBaseUrl", "marsviewBaseUrl"])
def test_only_a_laptop_sends_keys_in_the_clear(key: str) -> None:
    address = {key: "http://localhost:9000/x"}
    assert faults_of(**address) == [f"{key}: must be an https URL, since it carries keys and links"]
    assert StackSettings.from_context({**NEEDED, "stage": "local", **address})


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:8080", "http://localhost"])
def test_only_a_laptop_has_pages_in_the_clear(origin: str) -> None:
    assert faults_of(corsOrigins=origin) == [
        f"corsOrigins: {origin} must be https; only the stage local has pages without"
    ]
    local = StackSettings.from_context({**NEEDED, "stage": "local", "corsOrigins": origin})
    assert local.cors_origins == [origin]


def test_scopes_are_of_tokens() -> None:
    jwt = {"jwtIssuer": "https://issuer.example.com", "jwtAudience": "client"}
    assert faults_of(jwtScopes=True)[0].startswith("jwtScopes: only with jwtIssuer and jwtAudience")
    assert StackSettings.from_context({**NEEDED, **jwt}).jwt_scopes is None, "tokens of before go on"
    assert StackSettings.from_context({**NEEDED, **jwt, "jwtScopes": "false"}).jwt_scopes is None
    assert StackSettings.from_context({**NEEDED, **jwt, "jwtScopes": True}).jwt_scopes == {
        "read": "recordings:read",
        "write": "recordings:write",
        "operate": "recordings:operate",
        "erase": "recordings:erase",
    }


def test_a_jwt_issuer_is_an_https_url() -> None:
    (fault,) = faults_of(jwtIssuer="http://issuer.example.com", jwtAudience="client")

    assert fault.startswith("jwtIssuer: ")


@pytest.mark.parametrize(
    ("options", "name", "allowed"),
    [
        ({"model": ["speech_to_text"]}, "options.model", "models, custom_vocabulary, speakers"),
        ({"models": ["speech_to_txt"]}, "options.models", "speech_to_text, sentiment_analysis"),
        ({"models": []}, "options.models", "one or more"),
        ({"models": "speech_to_text"}, "options.models", "list"),
        ({"models": ["speech_to_text", "speech_to_text"]}, "options.models", "twice"),
        ({"models": [["speech_to_text"]]}, "options.models", "list"),
        ({"custom_vocabulary": [" "]}, "options.custom_vocabulary", "up to 500"),
        ({"custom_vocabulary": ["x" * 101]}, "options.custom_vocabulary", "up to 500"),
        ({"custom_vocabulary": ["x"] * 501}, "options.custom_vocabulary", "up to 500"),
        ({"speakers": 0}, "options.speakers", "1 to 20"),
        ({"speakers": True}, "options.speakers", "1 to 20"),
        ({"speakers": "2"}, "options.speakers", "1 to 20"),
    ],
)
def test_the_providers_options_are_checked(options: dict[str, Any], name: str, allowed: str) -> None:
    (fault,) = faults_of(marsviewOptions=json.dumps(options))

    assert fault.startswith(f"marsviewOptions: {name}: ")
    assert allowed in fault


def test_a_missing_provider_is_answered_with_all_that_there_are() -> None:
    with pytest.raises(ContextError) as raised:
        StackSettings.from_context({"stage": "dev"})

    assert all(name in str(raised.value) for name in PROVIDERS)


@pytest.mark.parametrize(
    ("key", "url", "without"),
    [
        ("alarmWebhook", "http://events.example.com:8443/a/s3cr3t?b=s3cr3t", "http://events.example.com:8443/…"),
        ("alarmWebhook", "https://me:s3cr3t@events.example.com", "https://events.example.com/…"),
        ("symblBaseUrl", "ftp://me:s3cr3t@symbl.example.com/v1", "ftp://symbl.example.com/…"),
        ("symblBaseUrl", "ftp://symbl.example.com/v1", "ftp://symbl.example.com/v1"),
    ],
)
def test_a_refusal_holds_no_key_of_an_address(key: str, url: str, without: str) -> None:
    (fault,) = faults_of(**{key: url})
    assert fault.startswith(f"{key}: {without!r} is not allowed; ")


def test_all_faults_come_at_once() -> None:
    faults = faults_of(stage="Dev", linkMinutes="1", nonsense="1", jwtAudience="client")

    assert {fault.partition(":")[0] for fault in faults} == {
        "stage",
        "linkMinutes",
        "nonsense",
        "jwtIssuer, jwtAudience",
    }
