"""What departments know takes the place of uploads: whom to ask about, asking all at once, attaching the answers."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from kit.idempotency import RequestKey
from server.applications import queries as applications_queries
from server.applications import service as applications
from server.applications.records import ApplicationRecord, PartyRecord
from server.applications.rules import check_editable
from server.applications.service import NewEvidence
from server.catalogue import queries as catalogue
from server.catalogue.sources import Source
from server.identity import queries as residents
from server.journeys.house import House
from server.sharing import queries as sharing_queries
from server.sharing import service as sharing
from server.sharing.queries import EvidenceLine
from server.sharing.service import Asked, From, Subject
from server.terms.codes import IdKind
from server.terms.evidence import Evidence
from server.terms.id_document import IdDocument

TOTAL_SECONDS = 6.0
"""How long a resident waits for all departments together."""

Wanted = tuple[str, PartyRecord]
"""A source's code, and whom it is asked about."""


async def share(house: House, *, application_id: str, resident_id: str, key: RequestKey | None = None) -> str:
    """Ask every source of the draft's required materials, attach what they find, and answer the application's id.

    What was found before is not asked again. A source that is down leaves its material to be uploaded.
    APPLICATION_NOT_FOUND, NOT_EDITABLE, ASKED_ABOUT_TOO_MANY.
    """
    record = await applications_queries.for_resident(
        house.applications, application_id=application_id, resident_id=resident_id
    )
    check_editable(record.state)
    sources = {source.code: source for source in await catalogue.sources(house.catalogue)}
    known = await sharing_queries.found(house.sharing, application_id=application_id)
    there = {(each.source, each.party_id) for each in known}
    wanted = [(code, party) for code, party in _wanted(record) if code in sources and (code, party.id) not in there]
    await sharing.count_people(house.sharing, asked_by=resident_id, id_numbers={party.id_number for _, party in wanted})
    for asked in await _ask(house, record.id, wanted, sources):
        await sharing.record_answer(house.sharing, asked_by=resident_id, asked=asked)
    return await applications.attach_evidence(
        house.applications,
        application_id=application_id,
        resident_id=resident_id,
        evidence=await _evidence(house, record),
        key=key,
    )


def _wanted(record: ApplicationRecord) -> list[Wanted]:
    """Every source and party once, whichever materials it serves."""
    found: dict[tuple[str, str], Wanted] = {}
    for line in record.requirements.materials:
        if line.required and line.source_code:
            for place in line.source_parties:
                party = record.parties[place]
                found[line.source_code, party.id] = (line.source_code, party)
    return list(found.values())


async def _ask(
    house: House, application_id: str, wanted: Sequence[Wanted], sources: Mapping[str, Source]
) -> list[Asked]:
    """All at once, within one time limit; nothing here touches the database."""
    deadline = asyncio.get_running_loop().time() + TOTAL_SECONDS
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                sharing.ask(
                    house.sharing,
                    subject=_subject(application_id, party),
                    source=_from(sources[code]),
                    deadline=deadline,
                )
            )
            for code, party in wanted
        ]
    return [task.result() for task in tasks]


def _subject(application_id: str, party: PartyRecord) -> Subject:
    masked = IdDocument(IdKind(party.id_kind), party.id_number).masked()
    return Subject(application_id, party.id, party.name, party.id_number, masked)


def _from(source: Source) -> From:
    return From(source.code, source.name, source.kind, source.purpose, source.legal_basis)


async def _evidence(house: House, record: ApplicationRecord) -> list[NewEvidence]:
    """Each document found, once for each material it serves."""
    found = {
        (each.source, each.party_id): each
        for each in await sharing_queries.found(house.sharing, application_id=record.id)
    }
    evidence = []
    for line in record.requirements.materials:
        for place in line.source_parties:
            each = found.get((line.source_code or "", record.parties[place].id))
            if each is not None and line.required:
                evidence.append(NewEvidence(each.id, line.code, each.party_id, each.source, each.content))
    return evidence


async def own_evidence(house: House, *, application_id: str, evidence_id: str, resident_id: str) -> Evidence:
    """What a department shared about the resident; EVIDENCE_NOT_FOUND for what is about anybody else."""
    person = await residents.person(house.identity, resident_id=resident_id)
    return await sharing_queries.own(
        house.sharing, application_id=application_id, evidence_id=evidence_id, subject_blind=person.id_number_blind
    )


async def asked_about(
    house: House, records: Sequence[ApplicationRecord]
) -> tuple[Mapping[str, tuple[EvidenceLine, ...]], Mapping[str, str]]:
    """By application what was asked so far, and by source its name; nothing is read where nothing can be shared."""
    ids = [each.id for each in records if any(line.source_code for line in each.requirements.materials)]
    if not ids:
        return {}, {}
    return await sharing_queries.lines(house.sharing, application_ids=ids), await _names(house)


async def _names(house: House) -> dict[str, str]:
    return {source.code: source.name for source in await catalogue.sources(house.catalogue)}


async def package_facts(house: House, record: ApplicationRecord) -> dict[str, dict[str, Any]]:
    """By evidence id, what the registry is told about a shared file beside its content."""
    if not any(file.shared for file in record.files):
        return {}
    names = await _names(house)
    asked = await sharing_queries.lines(house.sharing, application_ids=[record.id])
    return {
        line.id: {
            "source": line.source,
            "source_text": names.get(line.source, line.source),
            "purpose": line.purpose,
            "legal_basis": line.legal_basis,
        }
        for line in asked[record.id]
    }
