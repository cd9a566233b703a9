"""The strict base of every file format that tocco reads: frozen, no unknown keys, one-line errors."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tocco.errors import short

_LONGEST_NAME = 200
"""No name is longer; what is compared of one that claims to be."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """What is wrong with a name, and which valid one was probably meant.

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
    """A value with named fields: frozen, and an unknown key is refused with the nearest valid one."""

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
"""Said in place of pydantic's own words where those name no allowed value."""

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
"""In plain words, by what the parser says."""

Points = Annotated[float, Field(strict=True, ge=0.0, le=100.0, allow_inf_nan=False), _rounded(2)]
"""A rating of 0 to 100, kept to the hundredth: what is in memory is what is in the file."""

Spread = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False), _rounded(2)]
"""A non-negative width in points, to the hundredth."""

Difference = Annotated[float, Field(strict=True, ge=-100.0, le=100.0, allow_inf_nan=False), _rounded(2)]
"""A difference of two ratings, to the hundredth."""

Share = Annotated[float, Field(strict=True, ge=0.0, le=1.0, allow_inf_nan=False), _rounded(4)]
"""A fraction of one, to the ten-thousandth."""

Seconds = Annotated[float, Field(strict=True, allow_inf_nan=False), _rounded(3)]
"""A time in seconds, to the millisecond."""

Duration = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False), _rounded(3)]
"""A non-negative length of time in seconds, to the millisecond."""


def one_line(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Every complaint of a validation, field by field, on one line.

    Parameters
    ----------
    error
    model
        What was to be made: a field of it that is missing is then told with what it has to be.
    """
    asked = {} if model is None else model.model_json_schema()["properties"]
    parts = []
    for item in error.errors(include_url=False):
        where = ".".join(str(step) for step in item["loc"])
        if item["type"] == "missing":
            parts.append(f"has no {where!r}{_what_it_is(asked.get(where, {}))}")
            continue
        reason = _REASONS.get(item["type"], item["msg"].removeprefix("Value error, "))
        value = "" if item["type"] == "value_error" else f" (got {short(item['input'])})"
        parts.append(f"{where + ': ' if where else ''}{reason}{value}")
    return "; ".join(parts)


def _what_it_is(asked: dict[str, Any]) -> str:
    """Kind and meaning of a field, by its JSON schema: the first sentence of its docstring."""
    kind = _JSON_KINDS.get(asked.get("type", ""), "")
    meaning = " ".join(asked.get("description", "").split()).split(". ")[0].rstrip(".")
    told = ": ".join(part for part in (kind, meaning[:1].lower() + meaning[1:]) if part)
    return f" ({told})" if told else ""


def parse_object(text: str) -> dict[str, Any]:
    """One JSON object, in which a key may stand only once.

    Raises
    ------
    ValueError
        Not JSON, not an object, or a key stands twice; the message says which.
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
    """JSON text that people can read: keys sorted, and what fits on a line on one line.

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
        return flat  # a column of the curve: one line, however long
    return "[\n" + ",\n".join(pad + laid_out(item, indent + 2) for item in value) + "\n" + " " * indent + "]"


class _RepeatedKeyError(ValueError):
    """A key that stands twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(f"the key {short(key)} stands twice")
        found[key] = value
    return found
