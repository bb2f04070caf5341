"""``docs/schema`` as a judge: jsonschema compares documents with the files that lie there."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[2] / "docs" / "schema"


@cache
def validators() -> dict[str, Draft202012Validator]:
    """The judge of each document, by what the document's ``schema`` says."""
    judges = {}
    for path in FOLDER.glob("*.json"):
        schema = json.loads(path.read_text())
        Draft202012Validator.check_schema(schema)
        name, _, version = path.stem.rpartition("-")
        judges[f"bootgraft-{name}/{version}"] = Draft202012Validator(schema)
    return judges


def schema_faults(document: Any) -> list[str]:
    """Where a document, or one of a list of them, is not what its schema says; empty where it is."""
    if isinstance(document, list):
        return [fault for each in document for fault in schema_faults(each)]
    if not isinstance(document, dict) or document.get("schema") not in validators():
        return [f"there is no such schema: {document!r:.200}"]
    judge = validators()[document["schema"]]
    return [f"{error.json_path}: {error.message:.200}" for error in judge.iter_errors(document)]
