"""Five languages, whole: no empty sentence, no guessed one, no English in between."""

import re

import pytest
from babel.messages.catalog import Message

from webui import translate

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
# sentences that are the same in English and in every language: names and units
EVERYWHERE = ("%(h)d h %(m)d min", "%(m)d min %(s)d s", "%(n)d s", "SIM", "STARTTLS (587)")
SAME: dict[str, tuple[str, ...]] = {  # words that a language has in common with English
    "pl": ("Administrator", "Menu", "Modem", "Operator", "Port", "Transport"),
    "uk": (),
    "es": ("No",),
    "ro": ("Administrator", "Id", "Local", "Modem", "Operator", "Port", "Server", "Text", "Transport"),
}


@pytest.fixture(scope="module", params=translate.LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sentences(language: str) -> list[Message]:
    return [message for message in translate.read(language) if message.id]


def forms(message: Message) -> list[tuple[str, str]]:
    """Pairs of English and translation; plural forms each with the English plural."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    return [(message.id[1], text) for text in message.string]


def test_every_sentence_of_the_sources_is_in_the_catalogue(language: str) -> None:
    wanted = {message.id for message in translate.template() if message.id}
    held = {message.id for message in sentences(language)}
    assert wanted - held == set(), "python -m webui.translate update"


def test_no_sentence_is_empty_or_guessed(language: str) -> None:
    empty = [m.id for m in sentences(language) if not all(text.strip() for _, text in forms(m))]
    assert empty == []
    assert [m.id for m in sentences(language) if m.fuzzy] == []


def test_facts_keep_their_places(language: str) -> None:
    wrong = [
        (english, text)
        for message in sentences(language)
        for english, text in forms(message)
        if set(PLACEHOLDER.findall(text)) - set(PLACEHOLDER.findall(english))
        or (isinstance(message.id, str) and sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(english)))
    ]
    assert wrong == []


def test_nothing_is_left_in_english(language: str) -> None:
    same = [
        english
        for message in sentences(language)
        for english, text in forms(message)
        if english == text and english not in (*EVERYWHERE, *SAME[language])
    ]
    assert same == []


def test_an_exception_is_one(language: str) -> None:
    """A word that has got its own translation is no exception any more."""
    same = {english for message in sentences(language) for english, text in forms(message) if english == text}
    assert [word for word in SAME[language] if word not in same] == []


def test_plurals_have_the_forms_of_the_language(language: str) -> None:
    catalogue = translate.read(language)
    counts = {len(m.string) for m in sentences(language) if not isinstance(m.id, str)}
    assert counts == {catalogue.num_plurals}
