"""Messages about whoever represents a person under tutelle."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "not_when_represented": ErrorMessage(
        _("Seule la personne peut le faire"),
        _(
            "Vous êtes ici à la place de la personne que vous représentez. Vous pouvez ajouter ses"
            " papiers, les lire, et laisser quelqu’un les voir. Le reste, elle seule le peut."
        ),
        _("La personne peut le faire elle-même, ou au guichet."),
    ),
    "representation_code_wrong": ErrorMessage(
        _("Ce code ne marche pas"),
        _("Il est faux, trop ancien, déjà tapé, ou c’est le vôtre."),
        _("Demandez à l’autre personne un nouveau code, puis tapez-le ici."),
    ),
    "too_many_representatives": ErrorMessage(
        _("Il y en a déjà assez"),
        _("Une personne peut avoir ici 2 représentants légaux. Rien n’a changé."),
        _("Retirez d’abord quelqu’un de la liste, puis recommencez."),
    ),
    "representation_over": ErrorMessage(
        _("Ce n’est plus possible"),
        _("Le dernier jour du jugement est passé, ou il n’a pas encore été montré au guichet."),
        _("Allez au guichet avec le jugement et un nouveau code."),
    ),
    "judgement_names_you": ErrorMessage(
        _("Ce jugement vous nomme"),
        _("Qui représente la personne ne peut pas lire son propre jugement au guichet."),
        _("Une ou un collègue le lit, et tape le code sur son propre appareil."),
    ),
    "judgement_date": ErrorMessage(
        _("Date du jugement incorrecte"),
        _("Un jugement est déjà rendu, pas encore fini, et dure 20 ans au plus."),
        _("Vérifiez les deux dates sur le jugement."),
    ),
    "anchor_missing": ErrorMessage(
        _("Il manque la pièce d’identité"),
        _("La personne n’a pas encore ses papiers ici : il faut sa pièce d’identité."),
        _("Écrivez ce qui est sur la pièce d’identité de la personne protégée."),
    ),
}
