"""Sentences of the log of what two vaults did: joined, or one whose person trusts the other's."""

from web.i18n.error_messages import _

YOU_DID = {
    "vault.join_code": _("Vous avez demandé un code pour réunir ces papiers avec d’autres."),
    "vault.join_see": _("Vous avez tapé le code d’un autre endroit, pour réunir vos papiers."),
    "vault.join_end": _("Vous avez annulé votre code pour réunir vos papiers."),
    "vault.join": _("Vous avez réuni ici les papiers d’un autre endroit."),
    "vault.leave": _("Vous avez réuni ces papiers avec d’autres : ils sont à l’autre endroit."),
    "trusted.name": _("Vous avez demandé un code pour choisir une personne de confiance."),
    "trusted.see": _("Vous avez tapé le code d’une personne qui vous fait confiance."),
    "trusted.accept": _("Vous avez dit oui : vous êtes la personne de confiance de quelqu’un."),
    "trusted.end": _("Vous avez arrêté une confiance entre vous et une autre personne."),
    "trusted.vouch": _(
        "Vous avez demandé un code, pour dire au guichet qui est une personne qui vous fait"
        " confiance."
    ),
}
_JOIN_NOT_YET = _("Vous avez essayé de réunir vos papiers : ce n’était pas possible.")
_NOT_TRUSTED = _("Vous avez essayé de devenir une personne de confiance : ce n’était pas possible.")
YOU_TRIED = {
    "vault.join_code": _(
        "Vous avez demandé un code pour réunir vos papiers : ce n’était pas possible."
    ),
    "vault.join_see": _("Vous avez tapé un code pour réunir vos papiers, qui ne marche pas."),
    "vault.join": _JOIN_NOT_YET,
    "trusted.name": _(
        "Vous avez essayé de choisir une personne de confiance : ce n’était pas possible."
    ),
    "trusted.see": _("Vous avez tapé un code pour une confiance, qui ne marche pas."),
    "trusted.accept": _NOT_TRUSTED,
    "trusted.end": _("Vous avez essayé d’arrêter une confiance : ce n’était pas possible."),
    "trusted.vouch": _(
        "Vous avez essayé de dire au guichet qui est une personne : ce n’était pas possible."
    ),
}
YOU_TRIED_BECAUSE = {
    ("vault.join_see", "card_too_new"): _JOIN_NOT_YET,
    ("vault.join_see", "phone_too_new"): _JOIN_NOT_YET,
    ("vault.join_see", "paced"): _JOIN_NOT_YET,
    ("vault.join_see", "assisted"): _JOIN_NOT_YET,
    ("vault.join_see", "not_found"): _JOIN_NOT_YET,
    ("trusted.see", "paced"): _NOT_TRUSTED,
    ("trusted.see", "assisted"): _NOT_TRUSTED,
}
DID = {
    "vault.join_see": _("Votre code pour réunir vos papiers a été tapé à un autre endroit."),
    "trusted.see": _("Votre code pour choisir une personne de confiance a été tapé."),
    "trusted.accept": _("La personne que vous avez choisie a dit oui : vous lui faites confiance."),
    "trusted.end": _("Une confiance entre vous et une autre personne est terminée."),
    "trusted.vouch": _(
        "Votre personne de confiance a demandé un code, pour dire au guichet que c’est vous."
    ),
}
