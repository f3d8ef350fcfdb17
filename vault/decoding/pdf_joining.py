"""Several PDFs as one."""

import io
from contextlib import ExitStack

import pikepdf


def join(pdfs: list[bytes]) -> bytes:
    """One PDF of all the pages, in order, with the forms, layers and outlines of each."""
    out = io.BytesIO()
    with ExitStack() as stack:
        joined = stack.enter_context(pikepdf.new())
        for data in pdfs:
            joined.add_pages_from(stack.enter_context(pikepdf.open(io.BytesIO(data))))
        joined.save(
            out,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
        )
    return out.getvalue()
