from collections.abc import Sequence

from kit.db import transactional
from kit.idempotency import RequestKey
from kit.ids import new_id
from kit.web.errors import VersionStale
from server.applications.loading import ID_NUMBER, NAME, PHONE, UNIT
from server.applications.models import Application, ApplicationEntry, ApplicationParty, ApplicationRole
from server.applications.ports import Needs
from server.applications.records import EntryDraft, PartyDraft
from server.applications.requirements import Requirements
from server.applications.rules import (
    DRAFT_LASTS,
    OWNER_ROLE,
    check_editable,
    check_owners,
    check_parties,
    check_price,
)
from server.applications.service.rows import deed, lock_for, save, step
from server.applications.states import PartyState, State
from server.terms.id_document import ID_NUMBER_INDEX


@transactional
async def open_draft(
    needs: Needs,
    *,
    opened_by: str,
    requirements: Requirements,
    district: str,
    entries: Sequence[EntryDraft],
    parties: Sequence[PartyDraft],
    price_fen: int,
    sole_home_over_five_years: bool,
    mode: str = "zero_visit",
    origin: str = "wallet",
    key: RequestKey | None = None,
) -> str:
    """Open an application and answer its id; price in fen.

    PRICE_INVALID, PARTY_REPEATED, PARTIES_INCOMPLETE, OPENER_NOT_A_PARTY, SHARES_NOT_WHOLE, OWNERS_DIFFER.
    """
    check_price(price_fen)
    check_parties(parties, opened_by=opened_by)
    for entry in entries:
        sides = [parties[place] for place in entry.parties]
        check_owners(sides, entry.unit.owners, co_ownership=entry.unit.co_ownership)
    now = needs.clock.now()
    row = await Application.create(
        id=new_id(),
        district=district,
        mode=mode,
        origin=origin,
        business_type=requirements.business_type,
        catalogue_version=requirements.version,
        requirements=requirements.to_json(),
        state=State.DRAFT,
        price_fen=price_fen,
        sole_home_over_five_years=sole_home_over_five_years,
        opened_by=opened_by,
        expires_at=now + DRAFT_LASTS,
        created_at=now,
        updated_at=now,
    )
    ids = await _create_parties(needs, row, parties)
    for position, entry in enumerate(entries):
        await _create_entry(needs, row, position, entry, [(ids[place], parties[place]) for place in entry.parties])
    await step(row, code="opened", name="填写申请", at=now)
    await deed(needs, row, by=opened_by, action="opened", business_type=row.business_type)
    if key is not None:
        await key.settle(result_id=row.id, status=201)
    return row.id


async def _create_parties(needs: Needs, row: Application, parties: Sequence[PartyDraft]) -> list[str]:
    ids = [new_id() for _ in parties]
    rows = [
        _party(needs, row, position, identifier, party)
        for position, (identifier, party) in enumerate(zip(ids, parties, strict=True))
    ]
    await ApplicationParty.bulk_create(rows)
    return ids


def _party(needs: Needs, row: Application, position: int, identifier: str, party: PartyDraft) -> ApplicationParty:
    cipher = needs.cipher
    return ApplicationParty(
        id=identifier,
        application_id=row.id,
        position=position,
        kind=party.kind,
        name_sealed=cipher.seal(party.name, (NAME, identifier)),
        id_kind=party.id_kind,
        id_number_sealed=cipher.seal(party.id_number, (ID_NUMBER, identifier)),
        id_number_blind=cipher.blind(party.id_number, purpose=ID_NUMBER_INDEX),
        phone_sealed=cipher.seal(party.phone, (PHONE, identifier)) if party.phone else None,
        registered_owner=party.role == OWNER_ROLE,
        resident_id=party.resident_id,
        state=PartyState.WAITING,
        created_at=row.created_at,
    )


async def _create_entry(
    needs: Needs, row: Application, position: int, entry: EntryDraft, sides: Sequence[tuple[str, PartyDraft]]
) -> None:
    identifier = new_id()
    await ApplicationEntry.create(
        id=identifier,
        application_id=row.id,
        position=position,
        business_type=entry.business_type,
        registration_type=entry.registration_type,
        right_type=entry.right_type,
        unit_code=entry.unit.unit_code,
        certificate_number=entry.unit.certificate_number,
        register_version=entry.unit.version,
        unit_sealed=needs.cipher.seal_json(entry.unit.to_data(), (UNIT, identifier)),
    )
    await ApplicationRole.bulk_create(
        [
            ApplicationRole(
                id=new_id(),
                entry_id=identifier,
                party_id=party_id,
                role=party.role.value,
                share_numerator=party.share.numerator if party.share else None,
                share_denominator=party.share.denominator if party.share else None,
            )
            for party_id, party in sides
        ]
    )


@transactional
async def change(
    needs: Needs,
    *,
    application_id: str,
    resident_id: str,
    version: int,
    price_fen: int | None = None,
    sole_home_over_five_years: bool | None = None,
) -> str:
    """Edit a draft; VERSION_STALE when somebody edited it since `version`, NOT_EDITABLE after it left the draft."""
    row, _ = await lock_for(application_id, resident_id)
    if row.version != version:
        raise VersionStale
    check_editable(State(row.state))
    if price_fen is not None:
        check_price(price_fen)
        row.price_fen = price_fen
    if sole_home_over_five_years is not None:
        row.sole_home_over_five_years = sole_home_over_five_years
    await save(needs, row, "price_fen", "sole_home_over_five_years")
    await deed(needs, row, by=resident_id, action="changed", version=row.version)
    return row.id
