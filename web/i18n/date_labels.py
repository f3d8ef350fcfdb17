"""What the date that matters of a type is called, in French and by gettext."""

from vault.catalogue import DateThatMatters
from web.i18n.error_messages import _
from web.i18n.translations import translations

DATE_LABELS = {
    DateThatMatters.EXPIRES_ON: _("Bon jusqu’au"),
    DateThatMatters.ANSWER_BEFORE: _("Répondre avant"),
    DateThatMatters.PAY_BEFORE: _("Payer avant"),
    DateThatMatters.USE_BEFORE: _("À utiliser avant"),
    DateThatMatters.APPOINTMENT: _("Date du rendez-vous"),
    DateThatMatters.ISSUED_ON: _("Date du document"),
    DateThatMatters.INCOME_YEAR: _("Année des revenus"),
}
"""`none` has no label: no date of such a paper matters."""


def date_label(kind: DateThatMatters, language: str) -> str | None:
    """The label in one of `LANGUAGES`; None where no date matters."""
    label = DATE_LABELS.get(kind)
    return None if label is None else translations(language).gettext(label)
