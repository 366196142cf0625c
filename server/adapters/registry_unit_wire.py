"""The live register query as it travels: which unit is asked for, and what the register holds of it."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

import orjson
from pydantic import Field

from server.adapters.registry_wire import Wire, read_as
from server.terms.unit_record import Owner, UnitRecord


class _Owner(Wire):
    name: str
    id_kind: str
    id_number: str
    share_numerator: int | None
    share_denominator: int | None


class _Unit(Wire):
    unit_code: str
    district: str
    location: str
    usage: str
    usage_text: str
    right_type: str
    area_centiare: int
    certificate_number: str
    co_ownership: str
    held_since: date
    version: int
    encumbered: bool
    owners: list[_Owner]


class UnitAnswer(Wire):
    """`unit` is null when unit and certificate do not belong together."""

    unit: _Unit | None


class UnitQuestion(Wire):
    unit_code: Annotated[str, Field(max_length=64)]
    certificate_number: Annotated[str, Field(max_length=64)]


def encode_unit(found: UnitRecord | None) -> bytes:
    return orjson.dumps({"unit": asdict(found) if found is not None else None})


def decode_unit(raw: bytes) -> UnitRecord | None:
    """Raises WireError."""
    answer: UnitAnswer = read_as(UnitAnswer, raw)
    if answer.unit is None:
        return None
    values = answer.unit.model_dump()
    return UnitRecord(**{**values, "owners": tuple(Owner(**owner) for owner in values["owners"])})


def encode_question(*, unit_code: str, certificate_number: str) -> bytes:
    return orjson.dumps({"unit_code": unit_code, "certificate_number": certificate_number})


def decode_question(raw: bytes) -> UnitQuestion:
    """Raises WireError."""
    question: UnitQuestion = read_as(UnitQuestion, raw)
    return question
