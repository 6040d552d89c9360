"""Names, numbers and days of a statement occur in its lines."""

import pytest

from recording_insights.derive.facts import Proof
from recording_insights.derive.language import has_capital_nouns, is_other_language, language_of

ENGLISH = (
    "Maria will send the offer to Acme by Friday, the 5th of May, for 4,711 euros. Twenty-five people come at ten."
)
GERMAN = "Wir liefern die Schrauben am Freitag, und Frau Weber prüft das Angebot über 4.711 Euro mit dem Kunden."


@pytest.mark.parametrize(
    "text",
    [
        "Maria sends the offer.",
        "The offer goes to ACME on Friday.",
        "The offer of 4711 euros goes out on 5 May.",
        "It costs 4.711 euros.",
        "25 people come at 10.",
        "Maria's offer is for Acme.",
        "Everybody will come.",
        "Planning is over. Send it by Friday!",
        "The offer goes out on Freitag.",
        "Ｍａｒｉａ sends ４７１１ euros.",
        "It costs ٤٧١١.",
        "I think it is fine.",
    ],
)
def test_what_was_said_is_proved(text: str) -> None:
    assert Proof(ENGLISH).proves(text)


@pytest.mark.parametrize(
    "text",
    [
        "The offer goes to Zorblax.",
        "Zorblax will send the offer.",
        "Done. Zorblax pays.",
        "Dr. Zorblax comes.",
        "The offer goes out on Monday.",
        "The offer goes out on monday.",
        "It costs 4712 euros.",
        "It costs 47 euros.",
        "It costs ٤٧١٢.",
        "The offer goes out on 6 May.",
        "The offer goes out on 5 June.",
        "They meet tomorrow.",
        "Maria sends 3 offers.",
    ],
)
def test_what_was_not_said_is_not_proved(text: str) -> None:
    assert not Proof(ENGLISH).proves(text)


@pytest.mark.parametrize(
    ("text", "is_proved"),
    [
        ("Die Lieferung der Schrauben erfolgt am Freitag.", True),
        ("Frau Weber übernimmt die Prüfung und klärt den neuen Preis.", True),
        ("Das Angebot kostet 4.711 Euro, nach genauer Kontrolle mit Sorgfalt.", True),
        ("Herr Zorblax prüft das Angebot.", False),
        ("Das Angebot prüft Zorblax.", False),
        ("Zorblax soll das Angebot prüfen.", False),
        ("Die Lieferung erfolgt am Montag.", False),
        ("Das Angebot kostet 5.000 Euro.", False),
    ],
)
def test_a_german_noun_is_no_name(text: str, is_proved: bool) -> None:
    assert has_capital_nouns(GERMAN, None)
    assert Proof(GERMAN).proves(text, nouns_have_capitals=True) is is_proved


@pytest.mark.parametrize(
    ("said", "text", "is_proved"),
    [
        ("قررنا خفض السعر إلى ٤٧١١ يورو", "السعر 4711 يورو", True),
        ("قررنا خفض السعر إلى ٤٧١١ يورو", "السعر ٥٠٠٠ يورو", False),
        ("価格を4711ユーロに下げました", "価格は４７１１ユーロです", True),
        ("価格を4711ユーロに下げました", "価格は5000ユーロです", False),
        ("Nous livrons vingt-deux pièces à François.", "François reçoit 22 pièces.", True),
        ("Wir brauchen fünfundzwanzig Stück.", "Es sind 25 Stück.", True),
        ("das sind 1 250 euro", "Das sind 1250 Euro.", True),
    ],
)
def test_numbers_count_in_every_script(said: str, text: str, is_proved: bool) -> None:
    assert Proof(said).proves(text, nouns_have_capitals=True) is is_proved


SPANISH = "Buenos días, ¿puede enviar la oferta al cliente? Sí, la envío el viernes. No hay más preguntas por ahora."


@pytest.mark.parametrize(
    ("text", "language"),
    [(ENGLISH, "en"), (GERMAN, "de"), (SPANISH, "es"), ("Hello.", None), ("会議", None), ("", None)],
)
def test_a_language_is_known_by_its_small_words(text: str, language: str | None) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("text", "conversation", "wanted", "is_other"),
    [
        ("The customer wants the offer by Friday.", SPANISH, None, True),
        ("El cliente quiere la oferta el viernes.", SPANISH, None, False),
        ("El cliente quiere la oferta el viernes.", SPANISH, "en", True),
        ("The customer wants the offer, and it is to be sent.", SPANISH, "en-GB", False),
        ("Puhelussa sovittiin asiasta. " * 4, " ".join((ENGLISH, SPANISH, GERMAN)), None, True),
        ("会議の内容です。価格を下げました。", ENGLISH, None, True),
        ("会議の内容です。価格を下げました。", ENGLISH, "ja", False),
        ("会議内容很多，价格下降了。", ENGLISH, "zh-CN", False),
        ("The price is lower.", "قررنا خفض السعر إلى ٤٧١١ يورو", None, True),
        ("Цена снижена", ENGLISH, "sr", False),
        ("OK", GERMAN, None, False),
        ("", GERMAN, None, False),
    ],
)
def test_another_language_is_noticed(text: str, conversation: str, wanted: str | None, is_other: bool) -> None:
    assert is_other_language([text], conversation, wanted) is is_other


@pytest.mark.parametrize(
    ("text", "is_proved"),
    [
        ("Offer For Acme And Next Steps", True),
        ("Delivery Planning Overview", True),
        ("Offer For Zorblax And Next Steps", False),
        ("Offer for Zorblax", False),
    ],
)
def test_all_words_of_a_heading_may_have_capitals(text: str, is_proved: bool) -> None:
    assert Proof(ENGLISH).proves(text, is_heading=True) is is_proved


@pytest.mark.parametrize(
    ("text", "is_proved"),
    [
        ("Speaker 2 sends it to June.", True),
        ("Sprecher 2 sends it.", True),
        ("Speaker 3 sends it.", False),
        ("They send 2 offers.", False),
        ("June will send it.", True),
        ("It is sent in July.", False),
    ],
)
def test_the_number_of_a_speaker_proves_no_other_number(text: str, is_proved: bool) -> None:
    assert Proof("I will send it.", {"Speaker 1", "Speaker 2", "June"}).proves(text) is is_proved
