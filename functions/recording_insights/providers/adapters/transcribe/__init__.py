"""Amazon Transcribe: `calls` is the adapter, `reading` normalises its replies."""
