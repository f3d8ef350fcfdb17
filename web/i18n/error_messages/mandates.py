"""Messages about mandates that are signed on paper."""

from web.i18n.error_messages import ErrorMessage, _

MESSAGES = {
    "mandate_sensitive": ErrorMessage(
        _("Pas sur un mandat"),
        _("Un mandat nomme des sortes de papiers, jamais de papiers délicats."),
        _("Retirez les papiers délicats. La personne les donne elle-même, un par un."),
    ),
    "mandate_size": ErrorMessage(
        _("Trop d’autorisations"),
        _("Un mandat a de une à {limit} autorisations."),
        _("Préparez un deuxième mandat pour les autres."),
    ),
    "mandate_choice": ErrorMessage(
        _("Cette autorisation n’est pas sur ce mandat"),
        _("Ce qui est choisi doit être sur le papier, et au moins une chose."),
        _("Choisissez seulement ce qui est coché « Oui » sur le papier."),
    ),
    "mandate_scan_unread": ErrorMessage(
        _("Le dessin du mandat n’est pas lisible"),
        _("Sur ce papier, on ne lit le dessin d’aucun mandat."),
        _(
            "Scannez de nouveau la page entière, à plat et en pleine lumière. Si le dessin est"
            " abîmé, imprimez et signez une autre feuille."
        ),
    ),
    "mandate_scan_other": ErrorMessage(
        _("Ce n’est pas ce mandat"),
        _("Ce papier est un autre mandat, ou plusieurs mandats mélangés."),
        _("Scannez le mandat qui vient d’être signé, et lui seul."),
    ),
    "mandate_scan_deposited": ErrorMessage(
        _("Ce scan n’est pas de vous"),
        _("Une autre personne a ajouté ce papier. La personne qui signe ajoute elle-même le scan."),
        _("Scannez le mandat signé, et ajoutez-le vous-même à vos papiers."),
    ),
    "mandate_scan_incomplete": ErrorMessage(
        _("Il manque une page"),
        _("Toutes les pages de ce mandat ne sont pas sur le scan."),
        _("Scannez toutes les pages du mandat, en un seul papier."),
    ),
    "mandate_signed": ErrorMessage(
        _("Mandat déjà signé"),
        _("Ce mandat a déjà servi. Il ne sert qu’une fois."),
        _("Regardez les accès que vous avez donnés, ou préparez un nouveau mandat."),
    ),
    "mandate_over": ErrorMessage(
        _("Mandat terminé"),
        _("Plus aucune autorisation de ce mandat n’est en cours."),
        _("Préparez un nouveau mandat si la personne le veut."),
    ),
    "mandate_no_longer": ErrorMessage(
        _("Pas plus longtemps"),
        _("Ce mandat dure déjà aussi longtemps que ce qui a été signé."),
        _("Pour plus longtemps, il faut un nouveau mandat."),
    ),
    "mandate_form_changed": ErrorMessage(
        _("Le modèle du mandat a changé"),
        _("Ce mandat a été préparé avec un modèle d’avant."),
        _("Préparez un nouveau mandat, puis imprimez-le."),
    ),
}
