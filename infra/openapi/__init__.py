"""The contract of the API as an OpenAPI 3.1 document: `python -m infra.openapi` writes docs/openapi.json.

The document is made when the project is built, from the readers that check requests, the types of rows, and the tables
of the documentation. Nothing of it runs on Lambda.

- `schemas`: JSON Schemas of Python types, and `Shape`, an object with a name.
- `answers`: the shapes of answers.
- `operations`: the routes with their bodies, parameters, answers and problems.
- `words`: what the documentation's tables say of a field.
- `document`: the whole.
- `changes`: what of a new document would break a client of an older one.
"""
