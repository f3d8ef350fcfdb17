"""Why a change of the means of entering was refused, as a reader of the log sees it."""

from web.i18n.error_messages import _

MEANS_REASONS = {
    "pin_wrong": _("le code secret est faux"),
    "pin_weak": _("ce code secret ne peut pas être choisi"),
    "card_barred": _("la carte est bloquée"),
    "last_means": _("c’est la dernière façon d’entrer"),
    "card_not_barred": _("la carte n’était pas bloquée"),
    "card_stopped": _("la carte a été arrêtée comme perdue"),
    "freed_too_often": _("la carte a été trop souvent débloquée au guichet"),
    "phone_not_added": _("ce téléphone ne peut pas être ajouté"),
    "proof_needed": _("il manquait le code secret ou un code reçu"),
    "proof_wrong": _("le code donné n’était pas le bon"),
    "too_many_proofs": _("trop de codes faux"),
    "too_many_pins": _("trop de codes secrets choisis en un jour"),
    "too_many_anchors": _("trop de changements en un jour"),
    "too_many_cards": _("il y avait déjà trop de cartes"),
    "changed_meanwhile": _("cela avait changé entre-temps"),
    "session_too_short": _("vos papiers se fermaient ici avant 7 jours"),
    "phone_too_new": _("le numéro est ajouté depuis peu"),
    "card_too_new": _("la carte ou le code secret est trop récent"),
    "assisted": _("quelqu’un était à côté"),
    "assisted_long": _("plus de 3 mois, à la personne qui était à côté"),
    "shared_device": _("d’autres utilisent cet appareil"),
    "assisted_sensitive": _("un papier délicat, et quelqu’un était à côté"),
    "join_over": _("le temps était passé, ou quelque chose avait changé"),
    "join_not_now": _("un effacement ou un changement sans preuve attendait"),
    "too_many_trusted": _("il y avait déjà assez de personnes de confiance"),
    "trusted_over": _("le temps était passé, ou quelque chose avait changé"),
    "trusted_too_new": _("la personne de confiance est choisie depuis trop peu de jours"),
    "no_phone": _("il n’y a pas de téléphone"),
}
