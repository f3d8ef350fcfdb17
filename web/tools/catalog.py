"""Keeping the catalogues in step with the French texts: `python -m web.tools.catalog`.

Without an argument it updates those that exist; with `--check` it prints what is missing, and fails
if a language that is offered misses anything.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from web.i18n.catalogue_names import missing_names
from web.i18n.languages import SOURCE, languages
from web.i18n.translations import DOMAIN, catalogue_file

ROOT = Path(__file__).parents[2]
# Where the French texts are, by folder.
_METHODS = {
    "auth": [
        (name, "python")
        for name in ("notifications.py", "closing_messages.py", "recovery_texts.py", "visitor.py")
    ],
    "web": [
        ("**.py", "python"),
        ("pages/templates/**.html", "jinja2"),
        ("pages/templates/**.txt", "jinja2"),
        ("printouts/templates/**.html", "jinja2"),
    ],
}
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
}


def extracted() -> Catalog:
    """The French texts of the code and of the templates, with the files they are in."""
    catalogue = Catalog(domain=DOMAIN, charset="utf-8")
    for folder, methods in _METHODS.items():
        for name, line, message, comments, context in extract_from_dir(
            ROOT / folder,
            methods,
            keywords=_KEYWORDS,
            comment_tags=("i18n:",),
            strip_comment_tags=True,
        ):
            place = [(f"{folder}/{name}", line)]
            catalogue.add(message, None, place, auto_comments=comments, context=context)
    return catalogue


def updated(language: str) -> Catalog:
    """The updated catalogue of a language; new texts have no translation yet."""
    path = catalogue_file(language)
    catalogue = Catalog(locale=languages()[language].locale, domain=DOMAIN, charset="utf-8")
    if path.exists():
        with path.open("rb") as source:
            catalogue = read_po(source, locale=languages()[language].locale, domain=DOMAIN)
    catalogue.update(extracted(), no_fuzzy_matching=True, update_header_comment=False)
    # A text that is no longer in the code is dropped, not kept as a comment.
    catalogue.obsolete.clear()
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """The file's bytes: sorted, without the header's dates and versions, so that they only change
    with the texts."""
    out = BytesIO()
    write_po(out, catalogue, width=100, sort_output=True, include_lineno=False, omit_header=True)
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    plural = f'"Language: {catalogue.locale}\\n"\n"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    return header.encode() + plural.encode() + out.getvalue()


def faults(language: str) -> Iterator[str]:
    """What is missing or left over in a catalogue: one line each."""
    path = catalogue_file(language)
    if not path.exists():
        yield f"{path.relative_to(ROOT)} is missing"
        return
    with path.open("rb") as source:
        catalogue = read_po(source, locale=languages()[language].locale, domain=DOMAIN)
    wanted = {message.id for message in extracted() if message.id}
    present = {message.id for message in catalogue if message.id}
    yield from (f"missing: {_shown(each)}" for each in wanted - present)
    yield from (f"no longer said: {_shown(each)}" for each in present - wanted)
    for message in catalogue:
        if message.id and not _translated(message):
            yield f"not translated: {_shown(message.id)}"
    yield from missing_names(language)


def main() -> int:
    """Update, or check: what is left to translate is printed; a check gives 1 when a language that
    is offered lacks any of it."""
    check = sys.argv[1:] == ["--check"]
    left, wrong = [], False
    for code, language in languages().items():
        path = catalogue_file(code)
        if code == SOURCE or not (path.exists() or language.offered):
            continue
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(written(updated(code)))
        found = [f"{code}: {fault}" for fault in faults(code)]
        wrong |= language.offered and bool(found)
        left += found
    sys.stdout.write("".join(f"{line}\n" for line in left))
    return 1 if check and wrong else 0


def _translated(message: Message) -> bool:
    texts = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return not message.fuzzy and all(texts)


def _shown(text: str | tuple[str, ...] | list[str]) -> str:
    return (text if isinstance(text, str) else text[0])[:100]


if __name__ == "__main__":
    raise SystemExit(main())
