"""Looking for a paper among one's own, by the words of its name and of its type. Pure."""

import unicodedata

from vault.document_view import DocumentMetadata
from web.i18n.catalogue_names import name_in, type_names

MAX_LENGTH = 100


def matches(metadata: DocumentMetadata, looked_for: str, language: str) -> bool:
    """Whether each word that is looked for stands in the title or in a name of the type, in French
    or in the reader's language; whatever the accents and the capitals."""
    names = type_names(metadata.type)
    texts = (metadata.title or "", names.fr, name_in(names, language, plain=True))
    text = _plain(" ".join(texts))
    return all(word in text for word in _plain(looked_for).split())


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))
