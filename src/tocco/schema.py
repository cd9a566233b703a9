"""Base class of every file format that tocco reads: frozen, no unknown keys, one-line errors."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tocco.errors import short

_LONGEST_NAME = 200
"""Longer names are truncated before they are compared."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Message for an unknown name, with the valid name that was probably meant.

    >>> nearest("phrasng", ["phrasing", "musicality"])
    "'phrasng' is unknown, did you mean 'phrasing'"
    >>> nearest("x", ["phrasing", "musicality"])
    "'x' is unknown, known are 'musicality', 'phrasing'"
    """
    names = sorted(valid)
    close = difflib.get_close_matches(name[:_LONGEST_NAME], names, n=1, cutoff=0.5)
    if close:
        return f"{short(name)} is unknown, did you mean {close[0]!r}"
    return f"{short(name)} is unknown, known are {', '.join(map(repr, names))}"


class StrictModel(BaseModel):
    """A frozen value with named fields; unknown keys are refused with the nearest valid one."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, given: Any) -> Any:
        if isinstance(given, dict):
            unknown = [str(key) for key in given if key not in cls.model_fields]
            if unknown:
                raise ValueError("; ".join(nearest(key, cls.model_fields) for key in unknown))
        return given


def _rounded(decimals: int) -> AfterValidator:
    # Adding zero turns -0.0 into 0.0, so that equal values are equal bytes.
    return AfterValidator(lambda value: round(value, decimals) + 0.0)


_REASONS: dict[str, str] = {
    **dict.fromkeys(("bool_type", "bool_parsing"), "has to be true or false"),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "has to be a JSON object"),
    "path_type": "has to be a path in quotes",
}
"""Replacements for messages of pydantic that name no allowed value."""

_JSON_KINDS = {
    "string": "a string",
    "object": "an object",
    "array": "a list",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
}

_JSON_FAULTS = {
    "Expecting value": "a value is missing",
    "Expecting ',' delimiter": "a comma is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting property name enclosed in double quotes": "a name in double quotes is missing",
    "Illegal trailing comma before end of object": "a comma too many",
    "Illegal trailing comma before end of array": "a comma too many",
    "Unterminated string starting at": "a string without end begins",
    "Invalid control character at": "a string holds a control character",
    "Extra data": "more follows after its end",
}
"""Message of the JSON parser -> the same in plain words."""

Points = Annotated[float, Field(strict=True, ge=0.0, le=100.0, allow_inf_nan=False), _rounded(2)]
"""A rating of 0 to 100, rounded to two decimals: the value in memory equals the value in the file."""

Spread = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False), _rounded(2)]
"""A non-negative width in points, rounded to two decimals."""

Difference = Annotated[float, Field(strict=True, ge=-100.0, le=100.0, allow_inf_nan=False), _rounded(2)]
"""A difference of two ratings, rounded to two decimals."""

Share = Annotated[float, Field(strict=True, ge=0.0, le=1.0, allow_inf_nan=False), _rounded(4)]
"""A fraction of one, rounded to four decimals."""

Ratio = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False), _rounded(3)]
"""A non-negative multiple of something, rounded to three decimals."""

Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False), _rounded(3)]
"""A time in seconds, rounded to the millisecond."""

Duration = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False), _rounded(3)]
"""A non-negative duration in seconds, rounded to the millisecond."""


def one_line(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Every validation error, field by field, on one line.

    Parameters
    ----------
    error
    model
        The validated class; a missing field is then described by its type and docstring.
    """
    fields = {} if model is None else model.model_json_schema()["properties"]
    parts = []
    for item in error.errors(include_url=False):
        where = ".".join(str(step) for step in item["loc"])
        if item["type"] == "missing":
            parts.append(f"has no {where!r}{_field_description(fields.get(where, {}))}")
            continue
        reason = _REASONS.get(item["type"], item["msg"].removeprefix("Value error, "))
        value = "" if item["type"] == "value_error" else f" (got {short(item['input'])})"
        parts.append(f"{where + ': ' if where else ''}{reason}{value}")
    return "; ".join(parts)


def _field_description(field: dict[str, Any]) -> str:
    """Type and meaning of a field from its JSON schema: the first sentence of its docstring."""
    kind = _JSON_KINDS.get(field.get("type", ""), "")
    meaning = " ".join(field.get("description", "").split()).split(". ")[0].rstrip(".")
    description = ": ".join(part for part in (kind, meaning[:1].lower() + meaning[1:]) if part)
    return f" ({description})" if description else ""


def parse_object(text: str) -> dict[str, Any]:
    """Parse one JSON object without repeated keys.

    Raises
    ------
    ValueError
        Not JSON, not an object, or a key is repeated; the message says which.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        reason = _JSON_FAULTS.get(error.msg, "cannot be read on")
        raise ValueError(
            f"is not valid JSON ({reason} at line {error.lineno}, column {error.colno})"
        ) from error
    except _RepeatedKeyError:
        raise
    except RecursionError as error:
        raise ValueError("is not valid JSON (nested too deeply)") from error
    except ValueError as error:
        raise ValueError("is not valid JSON (a number of thousands of digits)") from error
    if not isinstance(value, dict):
        raise ValueError(f"is {short(value)}, not a JSON object")
    return value


def laid_out(value: Any, indent: int = 0, width: int = 150) -> str:
    """Readable JSON text: sorted keys, short values on one line.

    >>> print(laid_out({"b": [1, 2], "a": {"x": None}}))
    {
      "a": {"x": null},
      "b": [1, 2]
    }
    """
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, dict | list) or not value or (indent > 0 and indent + len(flat) <= width):
        return flat
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [
            f"{pad}{json.dumps(key, ensure_ascii=False)}: {laid_out(value[key], indent + 2)}"
            for key in sorted(value)
        ]
        return "{\n" + ",\n".join(parts) + "\n" + " " * indent + "}"
    if all(not isinstance(item, dict | list) for item in value):
        return flat  # a list of numbers: one line, however long
    return "[\n" + ",\n".join(pad + laid_out(item, indent + 2) for item in value) + "\n" + " " * indent + "]"


class _RepeatedKeyError(ValueError):
    """A key that is repeated in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(f"the key {short(key)} stands twice")
        found[key] = value
    return found
