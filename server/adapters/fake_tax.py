"""A tax bureau in memory, the equal of a real one: it assesses what is declared and writes its notices."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from kit.clock import Clock
from kit.errors import OutsideError, Permanent
from server.applications.ports import Assessment, Declaration, TaxLine, TaxNotice

ASSESSED = (TaxLine("deed_tax", "buyer", 2_000_000), TaxLine("vat", "seller", 0))


@dataclass
class FakeBureau:
    """Implements `applications.ports.TaxBureau`; assesses `taxes` for everybody.

    `declared` holds every declaration once, however often it came; `asked` counts the calls.
    """

    clock: Clock
    taxes: Sequence[TaxLine] = ASSESSED
    declared: list[Declaration] = field(default_factory=list)
    asked: int = 0
    _answers: dict[str, Assessment] = field(default_factory=dict, init=False)

    async def declare(self, declaration: Declaration) -> Assessment:
        self.asked += 1
        number = declaration.declaration_no
        if number not in self._answers:
            self.declared.append(declaration)
            self._answers[number] = Assessment(number, self.clock.now(), self.taxes)
        elif declaration not in self.declared:
            raise OutsideError("fake_tax", "NUMBER_USED", "the number means another declaration", permanent=True)
        return self._answers[number]

    def write_notice(self, notice: TaxNotice) -> bytes:
        """The body of a callback, as it comes once everything is paid."""
        return orjson.dumps(notice)

    def read_notice(self, body: bytes) -> TaxNotice:
        try:
            told = orjson.loads(body)
            taxes = [TaxLine(**line) for line in told.pop("taxes")]
            cleared_at = datetime.fromisoformat(told.pop("cleared_at"))
            return TaxNotice(**told, cleared_at=cleared_at, taxes=taxes)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Permanent(f"not a notice: {len(body)} bytes") from error
