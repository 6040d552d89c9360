"""The insights table: one store per kind of row. Decides nothing. Start at `keys` and `rows`."""
