"""Words that someone else wrote, as our pages and sentences show them: between « and », so that
nobody takes them for ours."""

import re

from web.i18n.error_messages import _
from web.i18n.translations import translations

_QUOTED = _("« {words} »")
_MARKS = re.compile('[«»‹›“”„‟〈-】〝-〟≪≫⋘⋙⟨-⟫❮-❱❝❞＂]|<<|>>|＜＜|＞＞|"')


def quoted(text: str, language: str) -> str:
    """The words of a text on one line, between quotation marks that nothing inside can close."""
    words = " ".join(_MARKS.sub("’", text).split())
    return translations(language).gettext(_QUOTED).replace("{words}", words)
