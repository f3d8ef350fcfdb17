"""The bodies of deposits, for the description of the API: forms, or JSON that names uploads."""

from typing import Any


def _upload_body(**more: Any) -> dict[str, Any]:
    """The body of a deposit; `more`: further fields of its form."""
    properties = {
        "file": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "description": "The file; repeated for the pages of one paper.",
        },
        "type": {"$ref": "#/components/schemas/DocumentTypeCode"},
        "title": {"type": "string", "maxLength": 200},
        "issued_on": {"type": "string", "format": "date"},
        "expires_on": {"type": "string", "format": "date"},
        "due_on": {
            "type": "string",
            "format": "date",
            "description": "The day by which its holder has to answer, pay, use it or come.",
        },
        "income_year": {
            "type": "integer",
            "minimum": 1990,
            "maximum": 2100,
            "description": "Of a tax paper: the year it speaks of.",
        },
        "paper_location": {"type": "string", "maxLength": 200},
        **more,
    }
    return {"requestBody": {"required": True, "content": _form(["file", "type"], properties)}}


def _form(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": properties}
    return {"multipart/form-data": {"schema": schema}}


_UPLOADS = {
    "type": "array",
    "items": {"type": "string", "format": "uuid"},
    "minItems": 1,
    "uniqueItems": True,
    "description": "Finished uploads of mine (`createUpload`): the pages of one paper, in order."
    " They go with the answer; a field left out is as the first one said.",
}


def _or_uploads(form: dict[str, Any]) -> dict[str, Any]:
    """The same body, or JSON that names uploads in the place of the files."""
    content = form["requestBody"]["content"]
    properties = content["multipart/form-data"]["schema"]["properties"]
    said = {name: value for name, value in properties.items() if name != "file"}
    schema = {
        "type": "object",
        "required": ["uploads"],
        "properties": {"uploads": _UPLOADS, **said},
        "additionalProperties": False,
    }
    both = content | {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": both}}


UPLOAD_BODY = _upload_body()
OWN_UPLOAD_BODY = _or_uploads(
    _upload_body(
        sensitive={
            "type": "boolean",
            "description": "Covered by a grant only if I pick it, whatever its type.",
        }
    )
)
VERSION_BODY = _or_uploads(
    {
        "requestBody": {
            "required": True,
            "content": _form(["file"], {"file": {"type": "array", "items": {"type": "string"}}}),
        }
    }
)
