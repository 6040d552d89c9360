"""The insights table: recordings, media objects with their jobs, insights."""
