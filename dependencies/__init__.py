"""Packages of others: their locks, known vulnerabilities, and the bill of materials of what runs on Lambda."""
