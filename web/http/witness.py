"""A witness's HTTP interface (C2SP tlog-witness): two endpoints and nothing else."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import Response

from audit.tlog.witness import MAX_BODY, Answer, Witness


def witness_app(witness: Witness) -> FastAPI:
    """The application of a witness."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY:
                return Response(status_code=413)
        return _response(await asyncio.to_thread(witness.add_checkpoint, bytes(body)))

    @app.get("/{origin_hash}/checkpoint")
    async def latest(origin_hash: str) -> Response:
        return _response(await asyncio.to_thread(witness.latest, origin_hash))

    return app


def _response(answer: Answer) -> Response:
    headers = {"Content-Type": answer.type, "Cache-Control": "no-store"}
    return Response(answer.body, answer.status, headers)
