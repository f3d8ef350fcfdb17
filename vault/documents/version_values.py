"""What a version's sealed row keeps of the inspection of its files. Pure."""

from typing import Any

from vault.decoding.media import CLEANING, Inspection


def inspected_values(inspection: Inspection) -> dict[str, Any]:
    """The values, in JSON. `cleaning`: the edition of the rules of its copy for recipients; `same`:
    they get the only original, which has nothing to remove."""
    return {
        "pages": inspection.pages,
        "notes": [note.value for note in inspection.notes],
        "cleaning": CLEANING,
        "same": inspection.rendition == "same",
        "carries": sorted(inspection.carries),
        "signatures": [
            {
                "signer": each.signer,
                "signed_at": each.signed_at and each.signed_at.isoformat(),
                "state": each.state.value,
            }
            for each in inspection.signatures
        ],
    }
