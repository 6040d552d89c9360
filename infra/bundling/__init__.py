"""The code packages of the functions: wheels for the platform that runs them, built without Docker."""
