"""Tests of every kind. A package, since the published client of a vendor brings a top-level `tests` of its own."""
