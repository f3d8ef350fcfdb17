"""What the messages of `test_notifications.py` say, word for word, in French and in English."""

WAS_IT_YOU = {
    "fr": "C’est vous ? Ne faites rien. Ce n’est pas vous ? Ouvrez « Mes papiers », choisissez «"
    " Mes appareils », puis « Fermer partout, sauf ici ». Ou allez au guichet.",
    "en": "Was it you? Do nothing. Was it not you? Open “My papers”, choose “My devices”, then"
    " “Sign out everywhere, except here”. Or go to the desk.",
}
FRENCH = {
    "code": "Votre code : 012345. Valable 10 minutes. Ne le donnez à personne.",
    "long code": "Votre code : 0123\u00a04567\u00a089. Valable 10 minutes. Ne le donnez à"
    " personne.",
    "shared": "Votre code : 0123\u00a04567\u00a08901. Valable 20 minutes. Ne le donnez à"
    " personne. Vous n’avez rien demandé ? Ne faites rien.",
    "shared by phone": "Votre code : 0123\u00a04567\u00a08901. Valable 20 minutes. Ne le donnez à"
    " personne : il sert à entrer, et aussi à CHANGER vos façons d’entrer.",
    "subject": "Votre code",
    "request": "Une demande attend votre réponse. Ouvrez « Mes papiers » pour voir de qui elle"
    " vient, et dites oui ou non. Si elle ne vous concerne pas, répondez « Ce n’est pas moi ».",
    "expiry": "Un de vos papiers arrive bientôt à sa date de fin. Ouvrez « Mes papiers » pour"
    " voir lequel, ou parlez-en à la personne qui vous accompagne.",
    "log": "Dans 30 jours, la liste « Qui a regardé mes papiers » pour 2023 et avant ne pourra"
    " plus être lue. Pour la garder, ouvrez « Mes papiers » et emportez-la.",
    "narrowed": "Un accès à vos papiers a changé : il montre moins qu’avant. Ouvrez « Mes papiers"
    " » pour voir, ou parlez-en à la personne qui vous accompagne.",
    "narrowed_mail": "Un ou plusieurs accès que des personnes vous ont donnés montrent moins"
    " qu’avant. Certains papiers se montrent maintenant un par un : vous gardez ceux que vous"
    " pouviez voir ce jour, et aucun nouveau. Ouvrez votre page pour voir lesquels.",
    "narrowed_subject": "Des accès ont changé",
    "report subject": "Accès signalé",
    "reported": "Une personne dit qu’une ligne de « Qui a regardé mes papiers » n’est pas"
    " normale. Cette ligne nomme votre structure. Ne cherchez pas qui est la personne : elle lira"
    " la réponse avec ses papiers. Voici la ligne : un accès par Inès Moreau, Assistante sociale,"
    " CCAS de Lys, le 01/03/2026 09:05 (UTC). Demandez pourquoi à qui l’a fait. Écrivez ce que"
    " vous savez à equipe@coffre.example, avec la référence REF.",
    "waiting": "Une personne dit qu’une ligne de « Qui a regardé mes papiers » n’est pas normale."
    " Lisez : unefois reports see REF Répondez : unefois reports answer REF La ligne est faite"
    " par Inès Moreau, Assistante sociale, CCAS de Lys, le 01/03/2026 09:05 (UTC). Sa structure est"
    " prévenue par e-mail.",
    "nameless": "Une personne dit qu’une ligne de « Qui a regardé mes papiers » n’est pas"
    " normale. Lisez : unefois reports see REF Répondez : unefois reports answer REF La ligne est"
    " faite par quelqu’un sans nom connu, le 01/03/2026 09:05 (UTC). Aucune structure n’est"
    " prévenue : voyez"
    " s’il faut le faire.",
    "answered": "Il y a une réponse pour vous. Ouvrez « Mes papiers » pour la lire, ou parlez-en"
    " à la personne qui vous accompagne.",
    "device": "« Mes papiers » vient d’être ouvert sur un nouvel appareil : un téléphone Android,"
    " le 3 mai à 9 h 05. C’est vous ? Ne faites rien. Ce n’est pas vous ? Ouvrez « Mes papiers »,"
    " choisissez « Mes appareils », puis « Fermer partout, sauf ici ». Ou allez au guichet.",
    "pro": "Votre espace professionnel vient d’être ouvert sur un nouvel appareil : un appareil"
    " inconnu, le 3 mai à 9 h 05. C’est vous ? Ne faites rien. Ce n’est pas vous ? Connectez-vous,"
    " choisissez « Mes appareils », puis « Fermer partout, sauf ici », et prévenez votre"
    " responsable.",
    "new": "Nouvel appareil",
    "means added": "« Mes papiers » : une façon d’entrer vient d’être ajoutée. " + WAS_IT_YOU["fr"],
    "means removed": "« Mes papiers » : une façon d’entrer vient d’être retirée. "
    + WAS_IT_YOU["fr"],
    "card freed": "« Mes papiers » : une carte bloquée vient d’être débloquée. " + WAS_IT_YOU["fr"],
    "card stopped": "« Mes papiers » : une carte perdue vient d’être arrêtée. " + WAS_IT_YOU["fr"],
    "pin": "« Mes papiers » : votre code secret vient d’être changé. " + WAS_IT_YOU["fr"],
    "join asked": "« Mes papiers » : quelqu’un demande à réunir vos papiers avec ceux d’un autre"
    " endroit. " + WAS_IT_YOU["fr"],
    "joined": "« Mes papiers » : vos papiers de deux endroits viennent d’être réunis. "
    + WAS_IT_YOU["fr"],
    "opened again": "« Mes papiers » : vos papiers viennent d’être rouverts, comme demandé au"
    " guichet. Les anciennes cartes sont arrêtées. " + WAS_IT_YOU["fr"],
    "represented": "« Mes papiers » : une représentation légale commence. " + WAS_IT_YOU["fr"],
    "not represented": "« Mes papiers » : une représentation légale est terminée. "
    + WAS_IT_YOU["fr"],
    "trusted": "« Mes papiers » : une personne de confiance vient d’être ajoutée. "
    + WAS_IT_YOU["fr"],
    "not trusted": "« Mes papiers » : une personne de confiance vient d’être retirée. "
    + WAS_IT_YOU["fr"],
    "export asked": "« Mes papiers » : quelqu’un demande une copie de tous vos papiers. "
    + WAS_IT_YOU["fr"],
    "export ready": "La copie de vos papiers est prête. Ouvrez « Mes papiers » avant le 3 mai à"
    " 9 h 05 pour la prendre.",
    "anchor": "« Mes papiers » : une preuve d’identité vient d’être enregistrée. "
    + WAS_IT_YOU["fr"],
    "no anchor": "« Mes papiers » : une preuve d’identité vient d’être effacée. "
    + WAS_IT_YOU["fr"],
    "wait": "« Mes papiers » : quelqu’un demande à changer vos façons d’entrer sans prouver que"
    " c’est vous. Ce sera possible dans 7 jours. " + WAS_IT_YOU["fr"],
    "no wait": "« Mes papiers » : la demande de changer vos façons d’entrer est annulée. "
    + WAS_IT_YOU["fr"],
    "change": "Votre code pour CHANGER vos façons d’entrer : 012345. Valable 10 minutes. Vous"
    " n’avez rien demandé ? Ne donnez ce code à personne, ouvrez « Mes papiers », choisissez"
    " « Mes appareils », puis « Fermer partout, sauf ici ».",
    "desk": "Votre code pour le guichet, pour ROUVRIR vos papiers : 012345. Valable 10 minutes."
    " Vous n’êtes pas au guichet ? Ne le donnez à personne.",
    "erase": "Votre code pour EFFACER tous vos papiers : 012345. Valable 10 minutes. Vous n’avez"
    " rien demandé ? Ne donnez ce code à personne, et allez au guichet.",
    "asked": "Tous vos papiers seront effacés le 3 mai à 9 h 05. Vous ne le voulez pas ? Ouvrez «"
    " Mes papiers » avant cette date et choisissez « Ne pas effacer ». Ou allez au guichet.",
    "soon": "Rappel : tous vos papiers seront effacés le 3 mai à 9 h 05. Vous ne le voulez pas ?"
    " Ouvrez « Mes papiers » et choisissez « Ne pas effacer ». Ou allez au guichet.",
    "kept": "C’est annulé : rien ne sera effacé. Vos papiers restent.",
}
ENGLISH = {
    "code": "Your code: 012345. Valid for 10 minutes. Do not give it to anyone.",
    "long code": "Your code: 0123\u00a04567\u00a089. Valid for 10 minutes. Do not give it to"
    " anyone.",
    "shared": "Your code: 0123\u00a04567\u00a08901. Valid for 20 minutes. Do not give it to"
    " anyone. You asked for nothing? Do nothing.",
    "shared by phone": "Your code: 0123\u00a04567\u00a08901. Valid for 20 minutes. Do not give it"
    " to anyone: it lets you in, and also lets you CHANGE your ways in.",
    "subject": "Your code",
    "request": "A request waits for your answer. Open “My papers” to see who sent it, and say yes"
    " or no. If it does not concern you, answer “This is not me”.",
    "expiry": "One of your papers will soon reach its end date. Open “My papers” to see which, or"
    " talk to the person who helps you.",
    "log": "In 30 days, the list “Who looked at my papers” for 2023 and before can no longer be"
    " read. To keep it, open “My papers” and take it away.",
    "narrowed": "An access to your papers has changed: it shows less than before. Open “My"
    " papers” to see, or talk about it with the person who supports you.",
    "narrowed_mail": "One or more accesses that people gave you show less than before. Some papers"
    " are now shown one by one: you keep those that you could see that day, and no new one. Open"
    " your page to see which.",
    "narrowed_subject": "Accesses have changed",
    "report subject": "Reported access",
    "reported": "A person says that a line of “Who looked at my papers” is not normal. The line"
    " names your organisation. Do not look for who the person is: they will read the answer with"
    " their papers. This is the line: an access by Inès Moreau, Assistante sociale, CCAS de Lys,"
    " on 01/03/2026 09:05 (UTC). Ask whoever did it why. Write what you know to"
    " equipe@coffre.example, with the reference REF.",
    "waiting": "A person says that a line of “Who looked at my papers” is not normal. Read:"
    " unefois reports see REF Answer: unefois reports answer REF The line was made by Inès"
    " Moreau, Assistante sociale, CCAS de Lys, on 01/03/2026 09:05 (UTC). Their organisation is"
    " told by e-mail.",
    "nameless": "A person says that a line of “Who looked at my papers” is not normal. Read:"
    " unefois reports see REF Answer: unefois reports answer REF The line was made by someone"
    " with no known name, on 01/03/2026 09:05 (UTC). No organisation is told: see whether it"
    " should be.",
    "answered": "There is an answer for you. Open “My papers” to read it, or talk to the person"
    " who helps you.",
    "device": "“My papers” was just opened on a new device: an Android phone, on 3 May at 9:05."
    " Was it you? Do nothing. Was it not you? Open “My papers”, choose “My devices”, then “Sign"
    " out everywhere, except here”. Or go to the desk.",
    "pro": "Your professional account was just opened on a new device: an unknown device, on 3 May"
    " at 9:05. Was it you? Do nothing. Was it not you? Sign in, choose “My devices”, then “Sign"
    " out everywhere, except here”, and tell your manager.",
    "new": "New device",
    "means added": "“My papers”: a way in was just added. " + WAS_IT_YOU["en"],
    "means removed": "“My papers”: a way in was just removed. " + WAS_IT_YOU["en"],
    "card freed": "“My papers”: a card that was blocked was just unblocked. " + WAS_IT_YOU["en"],
    "card stopped": "“My papers”: a lost card was just stopped. " + WAS_IT_YOU["en"],
    "pin": "“My papers”: your secret code was just changed. " + WAS_IT_YOU["en"],
    "join asked": "“My papers”: someone asks to join your papers with those of another place. "
    + WAS_IT_YOU["en"],
    "joined": "“My papers”: your papers from two places were just joined. " + WAS_IT_YOU["en"],
    "opened again": "“My papers”: your papers have just been reopened, as asked at the desk. The"
    " old cards are stopped. " + WAS_IT_YOU["en"],
    "represented": "“My papers”: a legal representation begins. " + WAS_IT_YOU["en"],
    "not represented": "“My papers”: a legal representation is over. " + WAS_IT_YOU["en"],
    "trusted": "“My papers”: a trusted person was just added. " + WAS_IT_YOU["en"],
    "not trusted": "“My papers”: a trusted person was just removed. " + WAS_IT_YOU["en"],
    "export asked": "“My papers”: someone is asking for a copy of all your papers. "
    + WAS_IT_YOU["en"],
    "export ready": "The copy of your papers is ready. Open “My papers” before 3 May at 9:05 to"
    " take it.",
    "anchor": "“My papers”: a proof of identity was just recorded. " + WAS_IT_YOU["en"],
    "no anchor": "“My papers”: a proof of identity was just erased. " + WAS_IT_YOU["en"],
    "wait": "“My papers”: someone asks to change your ways in without proving that it is you. It"
    " will be possible in 7 days. " + WAS_IT_YOU["en"],
    "no wait": "“My papers”: the request to change your ways in is cancelled. " + WAS_IT_YOU["en"],
    "change": "Your code to CHANGE your ways in: 012345. Valid for 10 minutes. You asked for"
    " nothing? Do not give this code to anyone, open “My papers”, choose “My devices”, then “Sign"
    " out everywhere, except here”.",
    "desk": "Your code for the desk, to REOPEN your papers: 012345. Valid for 10 minutes. You are"
    " not at the desk? Do not give it to anyone.",
    "erase": "Your code to ERASE all your papers: 012345. Valid for 10 minutes. You asked for"
    " nothing? Give this code to nobody, and go to the desk.",
    "asked": "All your papers will be erased on 3 May at 9:05. You do not want this? Open “My"
    " papers” before that date and choose “Do not erase”. Or go to the desk.",
    "soon": "Reminder: all your papers will be erased on 3 May at 9:05. You do not want this?"
    " Open “My papers” and choose “Do not erase”. Or go to the desk.",
    "kept": "Cancelled: nothing will be erased. Your papers stay.",
}
