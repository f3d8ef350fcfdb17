"""What the demo prints once it serves: what to open, and what to try."""

from pathlib import Path

from web.demo.accounts import PARTNER_EMAIL
from web.demo.seed_data import CLIENT_ID, Demo

_TEXT = """
Unefois tourne : {base_url}
Tout est inventé : personnes, structures et documents. Rien ne sort de cette machine.

À ouvrir
  {base_url}/            la page de vos papiers, faite pour un téléphone
                         numéro d’Amina, usagère : {phone}
                         (le code s’affiche sur la page : ce n’est qu’une démo)
  {base_url}/pro         la page de Camille, travailleuse sociale : {email}
  {base_url}/pro/desk    son guichet : une carte pour qui n’a pas de téléphone
                         qui a tout perdu : Camille, puis {partner}

À essayer dans un autre terminal
  # 1. Les documents d’Amina
  curl -H 'Authorization: Bearer {person}' {base_url}/v1/documents

  # 2. La demande qui l’attend ; pour dire oui : POST …/v1/consent-requests/ID/approve
  curl -H 'Authorization: Bearer {person}' {base_url}/v1/consent-requests

  # 3. Ce que Camille peut ouvrir
  curl -H 'Authorization: Bearer {worker}' {base_url}/v1/grants

  # 4. Sa collègue Sacha, de la même structure : rien
  curl -H 'Authorization: Bearer {colleague}' {base_url}/v1/grants

  # 5. Qui a regardé : le journal d’Amina
  curl -H 'Authorization: Bearer {person}' {base_url}/v1/access-log

  # 6. Toutes les sortes de documents
  curl {base_url}/v1/document-types

L’administration « {client} » demande par API (private_key_jwt) : sa clé est dans
{key_file}

L’état et les mesures du service : {management_url}/readyz et /metrics

Pour arrêter : Ctrl-C. Les données restent dans {home}
"""


def instructions(demo: Demo, home: Path, key_file: Path) -> str:
    """The text to print."""
    return _TEXT.format(
        base_url=demo.base_url,
        management_url=demo.management_url,
        phone=demo.person["phone"],
        email=demo.worker["email"],
        partner=PARTNER_EMAIL,
        person=demo.person["token"],
        worker=demo.worker["token"],
        colleague=demo.colleague["token"],
        client=CLIENT_ID,
        key_file=key_file,
        home=home,
    )
