"""What a worker calls the people who gave them grants: written by the worker, sealed, shown to them
alone.

Under the service's key: to list people opens no vault's key. A label goes with its worker, with its
person, and once the person is shown to the worker no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from auth.subjects import Worker
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.key_names import PERSON_LABEL
from base.user_text import search_words
from vault.consent.records import labels as records
from vault.consent.records.labels import PERSON_LABEL_ROW

MAX_LABELS = 500
"""So many people a worker may call by a label: each search opens all of them."""
MAX_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Label:
    """A label, and the id of its row: another one whenever it changes."""

    id: UUID
    text: str = field(repr=False)


Labels = Mapping[UUID, Label]
"""A worker's labels, by person."""


async def labels_of(services: CoreServices, tx: AsyncConnection, worker: Worker) -> Labels:
    """All labels of a worker. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    reader = await services.field_encryption.reader(None)
    found = {}
    for row in await records.labels_of(tx, worker.id):
        macs.check(PERSON_LABEL_ROW, row)
        found[row.person_id] = Label(row.id, reader.open(PERSON_LABEL, row.id, row.sealed)["label"])
    return found


def found_by(labels: Labels, query: str) -> list[UUID]:
    """The people in whose label stands every word of a query, whole or in part, whatever its
    accents and capitals."""
    words = search_words(query)
    plain = {one: " ".join(search_words(label.text)) for one, label in labels.items()}
    return [one for one, text in plain.items() if words and all(word in text for word in words)]


async def change_label(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    person_id: UUID,
    labels: Labels,
    text: str | None,
) -> Labels:
    """Give a person another label, or none; returns the labels as they are then.

    The caller MUST hold locks of the worker and of the vault, and have read `labels` under them.
    Raises `ServiceError` `too_many_labels`.
    """
    kept = {one: label for one, label in labels.items() if one != person_id}
    current = labels.get(person_id)
    if text == (None if current is None else current.text):
        return labels
    if text is not None and len(kept) >= MAX_LABELS:
        raise ServiceError(ErrorKind.CONFLICT, "too_many_labels", limit=MAX_LABELS)
    if current is not None:
        await records.delete_label(tx, worker.id, person_id)
    if text is None:
        return kept
    label = Label(new_id(), text)
    writer = await services.field_encryption.writer(None)
    row = {
        "id": label.id,
        "worker_id": worker.id,
        "person_id": person_id,
        "sealed": writer.seal(PERSON_LABEL, label.id, {"label": text}),
    }
    macs = await services.field_encryption.row_macs()
    await records.add_label(tx, **macs.add(PERSON_LABEL_ROW, row))
    return {**kept, person_id: label}
