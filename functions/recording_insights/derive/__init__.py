"""What a model finds in a whole conversation, each statement with the lines that prove it.

Start at `steps`: begin, advance by one call of the model, result. `lines` and `brief` go in. `split` makes parts of a
long conversation, `prompt` (with `kinds`, `models`) the request of each, `answer` reads what comes back, `check` (with
`facts`, `language`, `orders`) drops what the lines do not prove, and `merge` puts the parts together. `model` is the
port. None of these calls AWS or reads the clock. `begin_derivation` and `derive_insights` do what the two functions do:
they read and write rows and objects, and take turns at the model.
"""
