"""`make mutants` changes the domain's code in small ways and counts the changes that the unit tests notice.

Start at `__main__`. Imports only go down:

__main__   the command: samples mutants, shows the result, compares survivors with `survivors.toml`
judge      runs the tests against a mutant, in a process of its own
sample     which mutants, and which tests run against them
mutate     all mutants of one module
"""
