"""What a model finds in a whole conversation, each statement with the lines that prove it.

Start at `steps`: begin, advance by one call of the model, result. `lines` and `wishes` go in. `split` makes parts of a
long conversation, `prompt` (with `kinds`, `models`) the request of each, `answer` reads what comes back, `check` (with
`facts`, `language`, `orders`) drops what the lines do not prove, and `merge` puts the parts together. `model` is the
port. Nothing here calls AWS or reads the clock.
"""
