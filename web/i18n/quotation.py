"""Words that someone else wrote, as our pages and sentences show them: between « and », so that
nobody takes them for ours."""

import re

from web.i18n.error_messages import _
from web.i18n.translations import translations

_QUOTED = _("« {words} »")
# A mark, or what looks like one.
_MARK = "(?:[\"«»‹›“”„‟″‶❝❞❠❬-❱≪≫⋘⋙⟨-⟫〈-】〝-〟＂‘’‚‛'`´ʹ-ʽ❛❜❟＇]|<<|>>|＜＜|＞＞)"
# All that stand together: two apostrophes look like a mark, also with an invisible joiner between.
_MARKS = re.compile(f"{_MARK}(?:[\u200c\u200d]*{_MARK})*")
_APOSTROPHES = {"'", "’", "‘"}


def quoted(text: str, language: str) -> str:
    """The words of a text on one line, between quotation marks that nothing inside can close."""
    words = " ".join(_MARKS.sub(_plain, text).split())
    return translations(language).gettext(_QUOTED).replace("{words}", words)


def _plain(found: re.Match[str]) -> str:
    return found[0] if found[0] in _APOSTROPHES else "’"
