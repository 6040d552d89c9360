"""Adapters, one package per provider: `calls` talks to the provider, `reading` normalises its replies."""
