"""Messages about the forms of the pages."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "one_paper_unsaid": ErrorMessage(
        _("Est-ce le même papier ?"),
        _("Il y a une photo et un fichier PDF."),
        _("Si ce sont deux papiers, enlevez-en un."),
    ),
    "form_expired": ErrorMessage(
        _("Cette page est trop ancienne"),
        _("Le formulaire n’est plus valable. Rien n’a été fait."),
        _("Revenez à la page, rechargez-la, puis recommencez."),
    ),
    "date_unreadable": ErrorMessage(
        _("Date incorrecte"),
        _("Nous n’avons pas compris cette date."),
        _("Écrivez le jour, le mois et l’année, comme 31/12/2026."),
    ),
    "year_unreadable": ErrorMessage(
        _("Année incorrecte"),
        _("Nous n’avons pas compris l’année des revenus."),
        _("Écrivez seulement l’année, avec quatre chiffres, comme 2025."),
    ),
    "purpose_missing": ErrorMessage(
        _("Raison manquante"),
        _("La personne doit savoir pourquoi vous demandez ses papiers."),
        _("Écrivez une phrase simple : à quoi vont servir ces papiers."),
    ),
}
