"""Fuzzers: damaged inputs of every kind that comes from outside, and what must hold for each.

`targets` lists the fuzzers, `damage` makes the inputs out of corpus/, and `properties` says what must hold.
`test_fuzz` runs each shortly and always in the same way. `python -m tests.fuzz` runs them for minutes, with a seed.
Import from here: nothing.
"""
