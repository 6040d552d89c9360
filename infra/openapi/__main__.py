"""`python -m infra.openapi` writes docs/openapi.json."""

from infra.openapi.document import PUBLISHED, openapi_document, text_of

if __name__ == "__main__":
    PUBLISHED.write_text(text_of(openapi_document()))
    print(f"docs/{PUBLISHED.name}")
