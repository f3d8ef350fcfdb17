"""What is known of a paper that two vaults hold, once it is kept once. Pure."""

from dataclasses import replace

from vault.catalogue import is_sensitive
from vault.document_view import DocumentMetadata
from vault.documents.version_values import DATES


def united(
    kept: DocumentMetadata, gone: DocumentMetadata, *, verified: bool = False
) -> DocumentMetadata:
    """What the paper that stays says, with what only the other one said.

    What it says itself is kept, and its type in every case. What it lacks is taken: the title,
    where the paper lies, and each date, but not two that contradict each other, nor any where it
    is `verified`: those are of who deposited it. It is sensitive where either was, by its type or
    by its owner's word: nobody sees it by its type who would not have seen both.
    """
    names = ("title", "paper_location") if verified else ("title", "paper_location", *DATES)
    taken = {
        name: getattr(gone, name)
        for name in names
        if getattr(kept, name) is None and getattr(gone, name) is not None
    }
    by_type = is_sensitive(gone.type) and not is_sensitive(kept.type)
    both = replace(kept, **taken, sensitive=kept.sensitive or gone.sensitive or by_type)
    if both.issued_on and both.expires_on and both.expires_on < both.issued_on:
        both = replace(both, issued_on=kept.issued_on, expires_on=kept.expires_on)
    return both
