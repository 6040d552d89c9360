"""Bundles functions/ and its wheels into the zips that Lambda gets, without Docker."""
