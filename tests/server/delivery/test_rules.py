from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.delivery import rules
from server.delivery.errors import DeliveryStateWrong
from server.delivery.rules import Entry, Report, is_newer, is_shown, signer_of, state_of
from server.delivery.states import Attention, PaperWay, ParcelState, Settlement, SignedBy, Watch
from server.terms.errors import TermError
from tests.support.moments import NOON

H = timedelta(hours=1)
CODES = ["0", "1", "2", "3", "5", "14", "103", "204", "301", "303", "501", "9999"]


def entry(hours: float, text: str = "到达", code: str = "0") -> Entry:
    return Entry(NOON + hours * H, text, code, state_of(code))


def report(*entries: Entry, raw: str = "0", **more: object) -> Report:
    return Report("ems", "EK123456785CN", raw, entries, state_of(raw), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("0", ParcelState.TRANSIT),
        ("1", ParcelState.COLLECTED),
        ("2", ParcelState.PROBLEM),
        ("3", ParcelState.SIGNED),
        ("4", ParcelState.RETURNED),
        ("5", ParcelState.DELIVERING),
        ("6", ParcelState.RETURNING),
        ("7", ParcelState.TRANSIT),
        ("8", ParcelState.CUSTOMS),
        ("10", ParcelState.CUSTOMS),
        ("11", ParcelState.CUSTOMS),
        ("12", ParcelState.CUSTOMS),
        ("13", ParcelState.PROBLEM),
        ("14", ParcelState.REFUSED),
        ("101", ParcelState.CREATED),
        ("102", ParcelState.CREATED),
        ("103", ParcelState.COLLECTED),
        ("1001", ParcelState.TRANSIT),
        ("1002", ParcelState.TRANSIT),
        ("1003", ParcelState.TRANSIT),
        ("204", ParcelState.PROBLEM),
        ("203", ParcelState.REFUSED),
        ("210", ParcelState.CANCELLED),
        ("301", ParcelState.SIGNED),
        ("302", ParcelState.SIGNED),
        ("303", ParcelState.SIGNED),
        ("304", ParcelState.SIGNED),
        ("401", ParcelState.CANCELLED),
        ("501", ParcelState.LOCKER),
        ("9", None),
        ("", None),
        ("29x", None),
    ],
)
def test_what_the_providers_states_mean(code: str, state: ParcelState | None) -> None:
    assert state_of(code) is state


def test_every_state_has_words() -> None:
    assert all(state.text for state in ParcelState)
    assert all(why.text for why in Attention)


@pytest.mark.parametrize(
    ("codes", "signer"),
    [
        (["3"], None),
        (["3", "301"], SignedBy.SELF),
        (["303"], SignedBy.OTHER),
        (["304", "301"], SignedBy.LOCKER),
        (["302"], None),
        ([], None),
    ],
)
def test_who_signed(codes: list[str], signer: SignedBy | None) -> None:
    assert signer_of(codes) is signer


@pytest.mark.parametrize(
    ("state", "signer", "attention"),
    [
        (ParcelState.SIGNED, SignedBy.SELF, None),
        (ParcelState.SIGNED, SignedBy.OTHER, Attention.SIGNED_BY_OTHER),
        (ParcelState.SIGNED, SignedBy.LOCKER, Attention.SIGNED_BY_OTHER),
        (ParcelState.SIGNED, None, Attention.SIGNER_UNKNOWN),
        (ParcelState.PROBLEM, None, Attention.PROBLEM),
        (ParcelState.REFUSED, None, Attention.NOT_TAKEN),
        (ParcelState.RETURNING, None, Attention.NOT_TAKEN),
        (ParcelState.RETURNED, None, Attention.NOT_TAKEN),
        (ParcelState.TRANSIT, None, None),
        (ParcelState.LOCKER, None, None),
    ],
)
def test_what_staff_should_look_at(state: ParcelState, signer: SignedBy | None, attention: Attention | None) -> None:
    assert rules.attention_of(state, signer) is attention


@pytest.mark.parametrize(
    ("carrier", "text", "kept"),
    [
        ("ems", "EK123456785CN", "EK123456785CN"),
        ("ems", " ek 123456785 cn ", "EK123456785CN"),
        ("ems", "ＥＫ123456785ＣＮ", "EK123456785CN"),
        ("ems", "1136281381675", "1136281381675"),
        ("youzhengguonei", "1136281381675", "1136281381675"),
        ("shunfeng", "SF1234567890", "SF1234567890"),
        ("shunfeng", "SF1234567890123", "SF1234567890123"),
    ],
)
def test_a_waybill_in_its_one_spelling(carrier: str, text: str, kept: str) -> None:
    assert rules.waybill(carrier, text) == kept


@pytest.mark.parametrize(
    ("carrier", "text", "code"),
    [
        ("ems", "EK123456784CN", "WAYBILL_INVALID"),
        ("ems", "EK123456785US", "WAYBILL_INVALID"),
        ("ems", "EK12345678CN", "WAYBILL_INVALID"),
        ("ems", "113628138167", "WAYBILL_INVALID"),
        ("ems", "11362813816755", "WAYBILL_INVALID"),
        ("ems", "", "WAYBILL_INVALID"),
        ("ems", "EK123456785CN' OR 1=1", "WAYBILL_INVALID"),
        ("shunfeng", "EK123456785CN", "WAYBILL_INVALID"),
        ("pigeon", "EK123456785CN", "CARRIER_UNKNOWN"),
    ],
)
def test_what_is_no_waybill(carrier: str, text: str, code: str) -> None:
    with pytest.raises(TermError) as refused:
        rules.waybill(carrier, text)
    assert refused.value.code == code


def test_the_check_digit_of_s10() -> None:
    """Of the ten numbers that differ in the check digit alone, one is right; both special remainders occur."""
    right = []
    for serial in range(2000):
        digits = f"{serial:08d}"
        fits = [last for last in range(10) if rules._is_postal(f"EK{digits}{last}CN")]
        assert len(fits) == 1
        right.append(fits[0])
    assert set(right) == set(range(10))


@pytest.mark.parametrize(
    ("rule", "good", "kept"),
    [
        (rules.district, " 320114 ", "320114"),
        (rules.postcode, "２１００１２", "210012"),
        (rules.address, "  软件大道 18号\n云锦花园3幢302室 ", "软件大道 18号 云锦花园3幢302室"),
    ],
)
def test_parts_of_an_address(rule: object, good: str, kept: str) -> None:
    assert rule(good) == kept  # type: ignore[operator]


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        (rules.district, "320100"),
        (rules.district, "990101"),
        (rules.district, "32011"),
        (rules.district, "710101"),
        (rules.postcode, "21001"),
        (rules.postcode, "21001a"),
        (rules.address, "三楼"),
        (rules.address, "路" * 101),
        (rules.address, "软件大道18号\u202e云锦"),
        (rules.address, "软件大道\x0018号"),
    ],
)
def test_parts_that_cannot_be(rule: object, bad: str) -> None:
    with pytest.raises(TermError):
        rule(bad)  # type: ignore[operator]


def test_an_address_is_masked_but_for_its_beginning() -> None:
    assert rules.address_masked("软件大道18号云锦花园3幢302室") == "软件大道18" + "*" * 11
    assert rules.address_masked("长安街1号") == "长安" + "*" * 3


def test_which_of_two_lists_is_newer() -> None:
    first, second = entry(0, "收寄", "103"), entry(2, "到达")
    late = entry(1, "离开")
    short, long = report(first), report(second, first)
    assert is_newer(short, rank="")
    assert is_newer(long, rank=short.rank)
    assert not is_newer(short, rank=long.rank)
    assert not is_newer(long, rank=long.rank)
    # As far in time, but it knows more: a line that came late.
    assert is_newer(report(second, late, first), rank=long.rank)
    # The same lines, but it has come to an end.
    assert is_newer(report(second, first, raw="3"), rank=long.rank)
    # A list with nothing in it is newer than none of them.
    assert not is_newer(report(), rank="")


def test_where_a_parcel_stands_by_a_list() -> None:
    assert report(entry(0), raw="5").stands is ParcelState.DELIVERING
    # A code nobody knows: the newest line that says something.
    assert report(entry(2, "?", "9999"), entry(1, "到达", "501"), entry(0), raw="9999").stands is ParcelState.LOCKER
    assert report(entry(0, "?", "9999"), raw="9999").stands is ParcelState.TRANSIT


def test_which_lines_are_shown() -> None:
    begins = NOON
    assert is_shown(at=NOON + H, line_rank="b", rank="b", begins_at=begins)
    assert not is_shown(at=NOON + H, line_rank="a", rank="b", begins_at=begins)  # taken back
    assert is_shown(at=NOON - H, line_rank="a", rank="b", begins_at=begins)  # cut off
    assert not is_shown(at=NOON - H, line_rank="a", rank="", begins_at=None)


@pytest.mark.parametrize(
    ("watch", "heard", "queried", "wait"),
    [
        (Watch.PUSHED, None, None, timedelta()),
        (Watch.PUSHED, 1, None, 11 * H),
        (Watch.PUSHED, 13, None, timedelta()),
        (Watch.POLLED, None, 0.25, H / 4),
        (Watch.POLLED, 0.25, None, H / 4),
        (Watch.POLLED, 2, 2, timedelta()),
        (Watch.REFUSED, None, 0.5, timedelta()),
        (Watch.PUSHED, 13, 0.1, timedelta(minutes=24)),
    ],
)
def test_when_a_parcel_may_be_asked_for(
    watch: Watch, heard: float | None, queried: float | None, wait: timedelta
) -> None:
    def ago(hours: float | None) -> datetime | None:
        return None if hours is None else NOON - hours * H

    found = rules.wait_before_query(watch, heard_at=ago(heard), queried_at=ago(queried), now=NOON)
    assert found == wait


def test_how_often_is_looked_and_when_it_ends() -> None:
    assert rules.look_after(Watch.PUSHED) == rules.SILENCE
    assert rules.look_after(Watch.POLLED) == rules.POLL_GAP
    assert not rules.given_up(NOON - timedelta(days=60), now=NOON)
    assert rules.given_up(NOON - timedelta(days=60, seconds=1), now=NOON)


def test_what_keeps_a_certificate_busy() -> None:
    free = {state for state in ParcelState if not rules.keeps_certificate_busy(state)}
    assert free == {ParcelState.CANCELLED, ParcelState.RETURNED, ParcelState.LOST}


@pytest.mark.parametrize(
    ("state", "signed_by", "way"),
    [
        (ParcelState.DISPATCHED, None, PaperWay.POSTED),
        (ParcelState.LOCKER, None, PaperWay.POSTED),
        (ParcelState.REFUSED, None, PaperWay.POSTED),
        (ParcelState.RETURNING, None, PaperWay.POSTED),
        (ParcelState.SIGNED, None, PaperWay.POSTED),
        (ParcelState.SIGNED, SignedBy.OTHER, PaperWay.POSTED),
        (ParcelState.SIGNED, SignedBy.SELF, PaperWay.HANDED_OVER),
        (ParcelState.RETURNED, None, PaperWay.KEPT),
        (ParcelState.CANCELLED, None, PaperWay.KEPT),
        (ParcelState.LOST, None, PaperWay.LOST),
    ],
)
def test_where_a_parcel_puts_its_paper(state: ParcelState, signed_by: SignedBy | None, way: PaperWay) -> None:
    assert rules.paper_way(state, signed_by, dispatched=True) is way
    assert rules.paper_way(state, signed_by, dispatched=False) is None


@pytest.mark.parametrize("state", list(ParcelState))
@pytest.mark.parametrize("outcome", list(Settlement))
def test_what_staff_may_find_out(state: ParcelState, outcome: Settlement) -> None:
    dispatched = state is not ParcelState.REQUESTED
    possible = dispatched if outcome is not Settlement.NOT_SENT else not dispatched
    if state is ParcelState.RETURNED and outcome in {Settlement.RETURNED, Settlement.LOST}:
        possible = False
    if not possible:
        with pytest.raises(DeliveryStateWrong):
            rules.settled(outcome, state=state, dispatched=dispatched)
        return
    wanted = {"not_sent": "cancelled", "handed_over": "signed", "returned": "returned", "lost": "lost"}[outcome]
    assert rules.settled(outcome, state=state, dispatched=dispatched) == wanted


def test_only_what_is_later_than_the_finding_is_news() -> None:
    told = report(entry(1, "收寄"), entry(3, "派送"))
    assert rules.is_news(told, settled_at=None)
    assert [rules.is_news(told, settled_at=NOON + hour * H) for hour in (2, 3, 4)] == [True, False, False]


lines = st.builds(
    lambda minutes, text, code: Entry(datetime(2026, 3, 16, tzinfo=UTC) + timedelta(minutes=minutes), text, code),
    st.integers(0, 6),
    st.sampled_from(["收寄", "到达", "派送"]),
    st.sampled_from(CODES),
)
lists = st.builds(lambda entries, raw: report(*entries, raw=raw), st.lists(lines, max_size=5), st.sampled_from(CODES))


@given(st.lists(lists, min_size=1, max_size=4))
def test_the_newest_list_is_the_same_in_any_order(found: list[Report]) -> None:
    ends = set()
    for order in permutations(found):
        rank = ""
        for each in order:
            if is_newer(each, rank=rank):
                rank = each.rank
        ends.add(rank)
    assert ends == {max(each.rank for each in found)}
