"""What all stand-ins of a process share. Start at `runtime`.

`dials` change how a stand-in behaves, `ledger` lists the calls and what was paid, `calls` joins both to a view.
"""
