"""The settings of a stage as the stack writes them: every variable of any function, and the file in the package."""

from recording_insights.settings import StageSettings

ENVIRONMENT = {
    "STAGE": "dev",
    "TABLE_NAME": "insights",
    "RECORDINGS_BUCKET": "recordings-bucket",
    "REPLIES_BUCKET": "replies-bucket",
    "ARRIVALS_ARN": "arn:aws:sqs:eu-central-1:111122223333:arrivals",
    "UNADMITTED_URL": "https://sqs.test/unadmitted",
    "DEAD_LETTERS_URL": "https://sqs.test/dead-letters",
    "PROVIDER": "marsview",
    "PROVIDERS": '["marsview", "deepgram"]',
    "FAILOVER": '["deepgram"]',
    "BASE_URLS": "{}",
    "GIVE_UP_HOURS": "72",
    "QUEUE_DAYS": "14",
    "SLOTS": '{"symbl": 50}',
    "POLL_CEILING_MINUTES": "240",
    "LATE_FILES_MINUTES": "60",
    "FAILOVER_MINUTES": "15",
    "LINK_MINUTES": "45",
    "WORKFLOW_ARN": "arn:aws:states:eu-central-1:111122223333:stateMachine:process-recording",
    "WATCH_ARN": "arn:aws:states:eu-central-1:111122223333:stateMachine:watch-recording",
    "RETRIES_ARN": "arn:aws:states:eu-central-1:111122223333:stateMachine:retry-media",
    "ERASE_ARN": "arn:aws:states:eu-central-1:111122223333:stateMachine:erase-recording",
    "LOG_RETENTION_DAYS": "30",
    "RETRIES_PER_MINUTE": "60",
    "SESSION_ROLE_ARN": "arn:aws:iam::111122223333:role/prepare-media",
    "WEBHOOK_SECRET": "the-webhook-secret",
    "READ_OLD_SECRETS": "false",
    "SUBSCRIBERS_ON_LOOPBACK": "false",
    "DELIVERIES_URL": "https://sqs.test/deliveries",
    "BUS_NAME": "bus",
    "UNPUBLISHED_URL": "https://sqs.test/unpublished",
    "WEBHOOK_URL": "https://api.test",
}
OPTIONAL = {
    "KMS_KEY_ARN": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "RESIDENCY": "EU",
    "MOST_TRACKS_PER_RECORDING": "20",
    "MOST_MINUTES_PER_RECORDING": "600",
    "MOST_JOBS_PER_RECORDING": "40",
    "MOST_JOBS_PER_DAY": "500",
    "MEDIA_DAYS": "30",
    "SEGMENTS_DAYS": "20",
    "INSIGHTS_DAYS": "365",
    "INSIGHTS_MODEL": "example.model-v1:0",
}
"""Variables that a function has only if the setting has a value."""
STAGE_SETTINGS = StageSettings(
    provider_options={"marsview": {"speakers": 2}},
    prefix_providers={"interviews/": ["deepgram"]},
)
