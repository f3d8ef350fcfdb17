"""The word that both sides of a meeting read aloud: the same on both screens. Pure.

French, in every language of the pages: two people compare what they see. Common nouns that sound
unlike each other, of nobody, of nothing sad.
"""

from hashlib import sha256
from uuid import UUID

_LISTED = """
abeille abricot agneau aigle ananas ancre arbre arrosoir assiette automne avion balai balcon
ballon banane banc barque bateau biscuit boussole bouteille brioche brosse cabane cactus cadeau
camion canard carotte cartable casquette castor cerise chaise chameau chapeau cheval citron
clairon cloche collier coquillage corbeille couverture crayon dauphin domino drapeau escalier
escargot fenêtre fontaine fougère fraise fromage galet gant girafe gomme grenouille guitare hamac
hérisson hibou horloge jardin jonquille jumelles kiwi lampe lapin lavande légume lézard licorne
lune lunettes maison marmite melon miroir montagne moulin mouton nappe navire nuage oiseau olive
orange oreiller panier papillon parapluie parasol peigne perle phare piano pigeon pinceau plage
poire pomme prairie prune radis raisin rivière robinet sable sapin savon soleil tambour tapis tasse
théière tomate tortue trompette tulipe valise vanille vélo violon voiture zèbre
"""
WORDS = tuple(_LISTED.split())


def word_of(secret: bytes, person_id: UUID, worker_id: UUID) -> str:
    """The word of one meeting: nobody knows it before both are known."""
    digest = sha256(secret + person_id.bytes + worker_id.bytes).digest()
    return WORDS[int.from_bytes(digest, "big") % len(WORDS)]
