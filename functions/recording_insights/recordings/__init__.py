"""What a caller can do with a recording: request, start, stop, change, read; and Agora's notifications."""
