"""The environment of a function as the stack writes it."""

ENVIRONMENT = {
    "STAGE": "dev",
    "TABLE_NAME": "insights",
    "RECORDINGS_BUCKET": "recordings-bucket",
    "REPLIES_BUCKET": "replies-bucket",
    "PROVIDER": "marsview",
    "PROVIDERS": '["marsview", "deepgram"]',
    "FAILOVER": '["deepgram"]',
    "PROVIDER_OPTIONS": '{"marsview": {"speakers": 2}}',
    "BASE_URLS": "{}",
    "SUBMIT_CEILING_MINUTES": "60",
    "POLL_CEILING_MINUTES": "240",
    "LATE_FILES_MINUTES": "60",
    "FAILOVER_MINUTES": "15",
    "LINK_MINUTES": "45",
}
INTAKE = {
    "WORKFLOW_ARN": "arn:aws:states:eu-central-1:111122223333:stateMachine:process-recording",
    "PREFIX_PROVIDERS": '{"interviews/": "deepgram"}',
}
START = {"WATCH_ARN": "arn:aws:states:eu-central-1:111122223333:stateMachine:watch-recording"}
WEBHOOKS = {"WEBHOOK_SECRET": "the-webhook-secret", "WEBHOOK_URL": "https://api.test"}
