"""What stands in for the outside world on a laptop: local cloud, Agora, vendors, speech engine."""
