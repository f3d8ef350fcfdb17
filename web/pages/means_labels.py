"""The texts of the pages of cards, PINs and phones: what was done, and which field is wrong."""

from web.i18n.error_messages import _

NOT_DONE = {
    "recovery_gone": _("Cette demande est finie, ou arrêtée."),
    "card_late": _(
        "Rien n’est ouvert : trop de temps a passé, ou trop de codes secrets ont été essayés."
        " Scannez votre carte, ou tapez son code, de nouveau."
    ),
    "card_once": _(
        "Cette carte est déjà faite. Elle se montre 5 minutes, là où vous l’avez faite. Vous n’avez"
        " pas pu l’imprimer ? Choisissez « La remplacer par une nouvelle »."
    ),
    "wait_begun": _(
        "C’est noté. Dans 7 jours, revenez ici, sur cet appareil. Ne sortez pas d’ici là : il"
        " faudrait recommencer."
    ),
    "join_gone": _("Ce code ne sert plus. Rien n’a été réuni."),
    "represented_over": _("Les papiers de l’autre personne sont fermés. Ici, ce sont les vôtres."),
    "representation_gone": _("Rien n’a changé : ce n’est plus là."),
    "trust_gone": _("Rien n’a changé : ce n’est plus là."),
    "card_is_stopped": _("Rien n’a changé : cette carte est déjà arrêtée."),
    "means_gone": _("Rien n’a changé : cette façon d’entrer n’est plus là."),
}
DONE = {
    "recovery_given_up": _("C’est arrêté. Ce que vous avez mis ici reste."),
    "recovery_stopped": _("C’est arrêté. Rien n’a été ouvert. Dites-le aussi au guichet."),
    "recovery_confirmed": _(
        "C’est noté. Vos papiers s’ouvrent avec la nouvelle carte : « Moi », « Mes papiers"
        " d’avant »."
    ),
    "recovery_stop_trusted": _(
        "C’est noté. Si quelqu’un demandait ses papiers au guichet, c’est arrêté."
    ),
    "recovery_stop_noted": _("C’est noté. Si ce code est celui d’une demande, elle est arrêtée."),
    "recovery_opened": _(
        "C’est fait. Vos papiers d’avant sont ici, avec ceux que vous avez ajoutés."
    ),
    "card_stopped": _(
        "C’est fait. Cette carte n’ouvre plus rien, et vos papiers sont fermés sur les autres"
        " appareils."
    ),
    "card_lost": _(
        "C’est fait. Cette carte n’ouvre plus rien, et tout est fermé, ici aussi. Pour rentrer :"
        " une autre façon d’entrer, et votre code secret."
    ),
    "card_freed": _("C’est fait. La carte marche de nouveau, avec le même code secret."),
    "phone_removed": _(
        "C’est fait. Ce téléphone n’ouvre plus rien, et vos papiers sont fermés sur les autres"
        " appareils."
    ),
    "phone_added": _("C’est fait. Vous entrez maintenant avec ce téléphone et votre code secret."),
    "pin_chosen": _("C’est fait. Votre code secret est changé, pour tout ce qui vous fait entrer."),
    "joined": _("C’est fait. Tous vos papiers sont ici."),
    "wait_cancelled": _("C’est fait. Personne ne change vos façons d’entrer sans votre code."),
    "anchor_enrolled": _("C’est fait. Nous gardons une empreinte, et rien de votre pièce."),
    "anchor_removed": _("C’est fait. Nous ne gardons plus rien de votre pièce d’identité."),
    "trust_accepted": _("C’est fait. Vous êtes sa personne de confiance."),
    "trust_ended": _("C’est fait. Cette confiance est terminée."),
    "representation_ended": _("C’est fait. Cette personne n’agit plus à la place de l’autre."),
    "protection_noted": _("C’est fait. Ce nom se lira sur les reçus de vos accords."),
    "protection_forgotten": _("C’est fait. Ce nom ne se lira plus sur vos prochains reçus."),
    "name_chosen": _("C’est fait. Votre nom est gardé."),
    "name_removed": _("C’est fait. Il n’y a plus de nom ici."),
    "export_gone": _("C’est fait. Il n’y a plus de copie ici."),
}
FIELDS = {
    "card_typo": "card",
    "join_code_wrong": "code",
    "trusted_code_wrong": "code",
    "representation_code_wrong": "code",
    "card_of_another": "card",
    "pin_digits": "pin",
    "pin_weak": "pin",
    "pin_again": "again",
    "pin_wrong": "code",
    "phone_not_added": "phone",
    "anchor_date": "birth_date",
    "under_fifteen": "birth_date",
    "protection_kind": "kind",
    "protection_over": "until",
    "protection_too_long": "until",
    "anchor_document": "document_end",
    "proof_needed": "proof",
    "proof_wrong": "proof",
    "too_many_proofs": "proof",
}
