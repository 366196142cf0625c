"""What kuaidi100 tells of a parcel: its lists, asked for or pushed, read into our own."""

from datetime import datetime

from pydantic import Field, ValidationError

from kit.errors import OutsideError
from server.adapters.carrier_wire import Wire, bad_answer, moment_of
from server.delivery.ports import UnreadableReport
from server.delivery.rules import Entry, Report, signer_of, state_of

SYSTEM = "kuaidi100"
_FIRST_YEAR = 2020


class _Line(Wire):
    time: str = ""
    ftime: str = ""
    context: str = ""
    status: str = ""
    status_code: str = Field(default="", alias="statusCode")
    area: str = Field(default="", alias="areaName")
    location: str = ""


class Tracked(Wire):
    com: str = Field(min_length=1, max_length=32)
    nu: str = Field(min_length=1, max_length=32)
    state: str = ""
    data: list[_Line] = Field(default=[], max_length=500)


class _Pushed(Wire):
    status: str
    corrected: str = Field(default="", alias="autoCheck")
    com_old: str = Field(default="", alias="comOld")
    com_new: str = Field(default="", alias="comNew")
    last: Tracked = Field(alias="lastResult")


class Said(Wire):
    code: str = Field(default="", alias="returnCode")


def waybill_in(body: bytes) -> str:
    """Empty where the push cannot be read."""
    try:
        return _Pushed.model_validate_json(body).last.nu
    except ValidationError:
        return ""


def read_push(body: bytes) -> Report:
    """UnreadableReport when it has not the documented form."""
    try:
        pushed = _Pushed.model_validate_json(body)
        return report_of(pushed.last, pushed)
    except (ValidationError, OutsideError):
        raise UnreadableReport("no push of the documented form") from None


def report_of(tracked: Tracked, pushed: _Pushed | None = None) -> Report:
    """A parcel's list; a push also says what became of the watching, and whether the company was mistaken."""
    entries = tuple(_entry(line) for line in tracked.data)
    newest = sorted(zip(entries, tracked.data, strict=True), key=lambda pair: pair[0].at, reverse=True)
    codes = [tracked.state, *(line.status_code for _, line in newest)]
    corrects = ""
    carrier = tracked.com
    if pushed is not None and pushed.corrected == "1" and pushed.com_old and pushed.com_new:
        corrects, carrier = pushed.com_old[:32], pushed.com_new[:32]
    return Report(
        carrier=carrier,
        waybill=tracked.nu,
        raw_state=tracked.state,
        entries=entries,
        state=state_of(tracked.state),
        signed_by=signer_of(codes),
        corrects=corrects,
        aborted=pushed is not None and pushed.status == "abort",
        ended=pushed is not None and pushed.status == "shutdown",
    )


def _entry(line: _Line) -> Entry:
    code = line.status_code
    return Entry(
        at=_moment(line.ftime or line.time),
        text=line.context,
        raw_code=code or line.status,
        state=state_of(code) if code else _NAMED.get(line.status),
        location=line.area or line.location or "",
    )


# What a line is called where the account gets no advanced codes.
_NAMED = {
    name: state_of(code)
    for name, code in (
        ("在途", "0"),
        ("揽收", "1"),
        ("疑难", "2"),
        ("签收", "3"),
        ("退签", "4"),
        ("派件", "5"),
        ("退回", "6"),
        ("转投", "7"),
        ("清关", "8"),
        ("拒签", "14"),
    )
}


def _moment(text: str) -> datetime:
    moment = moment_of(SYSTEM, text)
    if moment.year < _FIRST_YEAR:
        raise bad_answer(SYSTEM, "a time before anybody asked")
    return moment
