"""What a resident types in to open or edit an application, every value brought into its one spelling."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from kit.web.validation import Input
from miniprogram_api.application_schema import ROLES, Side
from server.applications.records import PartyDraft
from server.journeys import filing
from server.terms.certificate_number import CertificateNumber
from server.terms.codes import IdKind
from server.terms.errors import TermError
from server.terms.id_document import IdDocument
from server.terms.person_name import PersonName
from server.terms.phone import Phone
from server.terms.share import Share
from server.terms.unit_code import UnitCode

_MOST_FEN = 10**13
_MOST_PARTIES = 40
_LONGEST = 200
Money = Annotated[int, Field(ge=1, le=_MOST_FEN)]


class ShareInput(Input):
    numerator: Annotated[int, Field(ge=1, le=10**9)]
    denominator: Annotated[int, Field(ge=1, le=10**9)]

    def share(self) -> Share:
        return Share.of(self.numerator, self.denominator)


class PartyInput(Input):
    """A party as typed in; without `share` they own alone or jointly.

    The opener writes `is_me` in place of name, number and phone: those are prefilled from what was verified.
    """

    role: Side
    is_me: bool = False
    name: Annotated[str, Field(max_length=_LONGEST)] | None = None
    id_number: Annotated[str, Field(max_length=_LONGEST)] | None = None
    phone: Annotated[str, Field(max_length=_LONGEST)] | None = None
    share: ShareInput | None = None

    @field_validator("name")
    @classmethod
    def _name(cls, text: str | None) -> str | None:
        return PersonName.parse(text).text if text is not None else None

    @field_validator("id_number")
    @classmethod
    def _id_number(cls, text: str | None) -> str | None:
        return IdDocument.parse(text).number if text is not None else None

    @field_validator("phone")
    @classmethod
    def _phone(cls, text: str | None) -> str | None:
        return Phone.parse(text).number if text else None

    @field_validator("share")
    @classmethod
    def _share(cls, given: ShareInput | None) -> ShareInput | None:
        if given is not None:
            given.share()  # refuses more than a whole, with the field's own words
        return given

    @model_validator(mode="after")
    def _typed_or_me(self) -> Self:
        typed = (self.name, self.id_number)
        if self.is_me and (typed != (None, None) or self.phone is not None):
            raise TermError("PARTY_IS_ME", "本人的姓名、证件号码和手机号已核验，不需要再填写")
        if not self.is_me and None in typed:
            raise TermError("PARTY_INCOMPLETE", "请填写姓名和证件号码")
        return self

    def draft(self) -> PartyDraft | filing.Myself:
        share = self.share.share() if self.share else None
        if self.name is None or self.id_number is None:
            return filing.Myself(ROLES[self.role], share)
        return PartyDraft(
            role=ROLES[self.role],
            name=self.name,
            id_kind=IdKind.RESIDENT_ID.value,
            id_number=self.id_number,
            share=share,
            phone=self.phone,
        )


class ApplicationInput(Input):
    """What opens an application; the price in fen."""

    business_type: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{1,31}$")]
    unit_code: Annotated[str, Field(max_length=_LONGEST)]
    certificate_number: Annotated[str, Field(max_length=_LONGEST)]
    price_fen: Money
    sole_home_over_five_years: bool
    parties: Annotated[list[PartyInput], Field(min_length=1, max_length=_MOST_PARTIES)]

    @field_validator("unit_code")
    @classmethod
    def _unit_code(cls, text: str) -> str:
        return UnitCode.parse(text).code

    @field_validator("certificate_number")
    @classmethod
    def _certificate_number(cls, text: str) -> str:
        return str(CertificateNumber.parse(text))

    def wish(self) -> filing.Wish:
        return filing.Wish(
            business_type=self.business_type.upper(),
            unit_code=self.unit_code,
            certificate_number=self.certificate_number,
            price_fen=self.price_fen,
            sole_home_over_five_years=self.sole_home_over_five_years,
            parties=[party.draft() for party in self.parties],
        )


class ApplicationEdit(Input):
    """What may be edited in a draft; what is left out stays."""

    price_fen: Money | None = None
    sole_home_over_five_years: bool | None = None
