"""Every code that the service can answer has its sentence, and every sentence its code."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from vault.rules import Reason
from web.http.problems import _HTTP_CODES
from web.i18n.error_messages import error_messages
from web.i18n.translations import preferred, translations
from web.pages.labels import REASONS
from web.tools.catalog import extracted, faults

ROOT = Path(__file__).resolve().parents[3]
LAYERS = ("base", "storage", "audit", "auth", "vault", "web")
# Answered by `web/http/problems.py` and `web/http/middleware.py` themselves, without a failure.
OF_THE_EDGE = {*_HTTP_CODES.values(), "malformed_request", "invalid_request", "internal_error"}
OF_THE_EDGE |= {"request_refused"}


def trees() -> Iterator[ast.AST]:
    for floor in LAYERS:
        for path in (ROOT / floor).rglob("*.py"):
            yield ast.parse(path.read_text())


def codes_raised() -> set[str]:
    """The literals of `ServiceError(ErrorKind.X, "code")`, `(ErrorKind.X, "code")` and
    `invalid("code")`."""
    found: set[str] = set()
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                found |= _of_call(node)
            elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and _is_kind(node.elts[0]):
                found |= _literals(node.elts[1])
    return found


def _of_call(node: ast.Call) -> set[str]:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if name == "invalid" and node.args:
        return _literals(node.args[0])
    if len(node.args) >= 2 and _is_kind(node.args[0]):
        return _literals(node.args[1])
    return set()


def _is_kind(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "ErrorKind"


def _literals(node: ast.expr) -> set[str]:
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def test_every_code_has_a_sentence() -> None:
    assert codes_raised() - error_messages().keys() == set()


def test_every_sentence_has_a_code() -> None:
    literals = {
        node.value
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert codes_raised() | OF_THE_EDGE <= literals
    assert error_messages().keys() - codes_raised() - OF_THE_EDGE == set()


@pytest.mark.parametrize("code", sorted(error_messages()))
def test_a_sentence_is_whole_in_both_languages(code: str) -> None:
    sentence = error_messages()[code]
    for text in (sentence.title, sentence.detail, sentence.what_to_do):
        english = translations("en").gettext(text)
        assert text.strip() == text != ""
        assert english != text, f"no English for {text!r}"
        assert _placeholders(text) == _placeholders(english)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_catalogue_is_complete() -> None:
    assert list(faults("en")) == []
    assert len(list(extracted())) > 20


def test_every_refusal_has_words_on_the_pages() -> None:
    assert {reason.value for reason in Reason} - REASONS.keys() == set()


def test_french_has_one_apostrophe() -> None:
    texts = [part for message in extracted() for part in _parts(message.id)]
    assert any("Votre code : {code}" in text for text in texts), "messages are read too"
    assert [text for text in texts if "'" in text] == []


def _parts(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "fr"),
        ("", "fr"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("ar, en;q=0.8, fr;q=0.2", "ar"),
        ("de, en;q=0.8, fr;q=0.2", "en"),
        ("en;q=0, de", "fr"),
        ("en;q=nonsense", "fr"),
        ("x" * 5000, "fr"),
    ],
)
def test_the_language_is_the_caller_s(header: str | None, language: str) -> None:
    assert preferred(header) == language
