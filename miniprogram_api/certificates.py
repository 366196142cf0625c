"""A resident's electronic certificates, and what a scanned code is worth."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field
from sanic import Blueprint, HTTPResponse

from kit.clock import rfc3339
from kit.web.access import public, resident
from kit.web.downloads import download
from kit.web.edge import Call, Edge
from kit.web.pages import Page
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from server.certificates import queries, service
from server.certificates.errors import CertificateNotFound
from server.certificates.queries import CopyRecord
from server.certificates.states import state_text, verdict
from server.identity import queries as residents
from server.identity.rules import Level
from server.journeys import posting
from server.journeys.house import House
from server.journeys.posting import Paper


class Certificate(Answer):
    """`link` is what the QR code holds; `paper_state` says where the paper is, as far as is known."""

    id: str
    number: str
    state: str
    state_text: str
    paper_state: str
    paper_state_text: str
    unit_code: str
    location: str
    registered_on: str
    link: str


class CertificateList(Answer):
    items: list[Certificate]
    next: str | None


class VerifyInput(Input):
    """The text that `wx.scanCode` returned: the whole link, or its code alone."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]


class Verified(Answer):
    """`genuine`: signed by the registry; `state` is what the register says today."""

    genuine: bool
    state: str
    state_text: str
    sentence: str
    number: str | None
    unit_code_masked: str | None
    issued_on: str | None
    checked_at: str


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of certificates."""
    routes = Routes("certificates", "/api/v1/certificates", edge)
    _own(routes, house)
    _files(routes, house)
    _verifying(routes, house)
    return routes.blueprint


def _own(routes: Routes, house: House) -> None:
    needs = house.certificates

    @routes.get(
        "",
        access=resident(Level.REAL_NAME),
        summary="My certificates, newest first",
        query=Page,
        answer=CertificateList,
    )
    async def my_certificates(call: Call[Page]) -> CertificateList:
        page, blind = call.input, await _blind(house, call.who.id)
        found = await queries.for_holder(needs, blind=blind, before=page.cursor, limit=page.wanted)
        shown, following = page.cut(found)
        return CertificateList(items=await _shown(house, shown), next=following)

    @routes.get(
        "/<certificate_id:str>",
        access=resident(Level.REAL_NAME),
        summary="One of my certificates",
        answer=Certificate,
        errors=(CertificateNotFound,),
    )
    async def my_certificate(call: Call[None], certificate_id: str) -> Certificate:
        (answer,) = await _shown(house, [await _mine(house, call.who.id, certificate_id)])
        return answer


def _files(routes: Routes, house: House) -> None:
    needs = house.certificates

    @routes.get(
        "/<certificate_id:str>/file",
        access=resident(Level.REAL_NAME),
        summary="The sealed file; leaves a trace",
        media_type="application/pdf",
        errors=(CertificateNotFound,),
    )
    async def certificate_file(call: Call[None], certificate_id: str) -> HTTPResponse:
        chunks = await service.open_copy(
            needs,
            certificate_id=certificate_id,
            blind=await _blind(house, call.who.id),
            resident_id=call.who.id,
        )
        return download(b"".join([chunk async for chunk in chunks]), "application/pdf", name=certificate_id)

    @routes.get(
        "/<certificate_id:str>/qr",
        access=resident(Level.REAL_NAME),
        summary="The QR code",
        media_type="image/png",
        errors=(CertificateNotFound,),
    )
    async def certificate_qr(call: Call[None], certificate_id: str) -> HTTPResponse:
        record = await _mine(house, call.who.id, certificate_id)
        return download(await queries.copy_qr(record), "image/png", name=certificate_id)


def _verifying(routes: Routes, house: House) -> None:
    @routes.post(
        "/verify",
        access=public("whoever is shown a certificate may ask whether it is genuine"),
        keyed=False,
        summary="Is this certificate genuine, and is it valid today?",
        body=VerifyInput,
        answer=Verified,
        rate="60/minute",
    )
    async def verify(call: Call[VerifyInput]) -> Verified:
        found = await queries.verify(house.certificates, text=call.input.text)
        words, sentence = verdict(found.state, genuine=found.genuine)
        return Verified(
            genuine=found.genuine,
            state=found.state,
            state_text=words,
            sentence=sentence,
            number=found.number,
            unit_code_masked=found.unit_code_masked,
            issued_on=found.issued_on.isoformat() if found.issued_on else None,
            checked_at=rfc3339(found.checked_at),
        )


async def _blind(house: House, resident_id: str) -> str:
    return (await residents.person(house.identity, resident_id=resident_id)).id_number_blind


async def _mine(house: House, resident_id: str, certificate_id: str) -> CopyRecord:
    blind = await _blind(house, resident_id)
    return await queries.copy_by_id(house.certificates, certificate_id=certificate_id, blind=blind)


async def _shown(house: House, records: Sequence[CopyRecord]) -> list[Certificate]:
    papers = await posting.papers(house, records)
    return [_present(record, paper) for record, paper in zip(records, papers, strict=True)]


def _present(record: CopyRecord, paper: Paper) -> Certificate:
    return Certificate(
        id=record.id,
        number=record.number,
        state=record.state,
        state_text=state_text(record.state),
        paper_state=paper.state,
        paper_state_text=paper.text,
        unit_code=record.unit_code,
        location=record.location,
        registered_on=record.registered_on.isoformat(),
        link=record.link,
    )
