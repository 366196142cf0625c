import datetime as dt

from server.certificates.claims import CertificateKind, CredentialClaims
from server.certificates.states import PaperState
from server.terms.certificate_number import CertificateKind as NumberKind
from server.terms.certificate_number import CertificateNumber

_SERIAL_DIGITS = 7
_WAYS = {
    "posted": PaperState.POSTED,
    "handed_over": PaperState.WITH_HOLDER,
    "kept": PaperState.NOT_PRINTED,
    "lost": PaperState.LOST,
}
_NUMBER_KINDS = {
    CertificateKind.TITLE_CERTIFICATE: NumberKind.TITLE,
    CertificateKind.REGISTRATION_PROOF: NumberKind.PROOF,
}


def certificate_number(*, province: str, place: str, year: int, kind: CertificateKind, serial: int) -> str:
    """苏(2026)南京市不动产权第0000001号; the serial starts again each year."""
    return str(CertificateNumber(province, year, place, _NUMBER_KINDS[kind], f"{serial:0{_SERIAL_DIGITS}d}"))


def city_of(district: str) -> str:
    """The city that counts one series of certificates: its four digits and two zeros."""
    return f"{district[:4]}00"


def link(public_base_url: str, credential: str) -> str:
    """What the QR code holds."""
    return f"{public_base_url}/v/{credential}"


def issued_file_scope(certificate_id: str) -> str:
    """Where the registry keeps the sealed file."""
    return f"certificate/{certificate_id}"


def copy_file_scope(certificate_id: str) -> str:
    """Where the platform keeps its copy of it."""
    return f"certificate-copy/{certificate_id}"


def is_later(changed_at: dt.datetime, known: dt.datetime | None) -> bool:
    """Whether a change of status is news; messages may come twice or late."""
    return known is None or changed_at > known


def next_change(known: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """The moment of a change, later than that of the one before: of two changes the platform keeps the later one."""
    return now if known is None else max(now, known + dt.timedelta(microseconds=1))


def paper_state(way: str, *, valid: bool) -> PaperState:
    """Where a paper is that went this way; that of a void certificate is to come back from wherever it is outside."""
    state = _WAYS[way]
    return PaperState.TO_BE_RETURNED if state.outside and not valid else state


def claims_match(claims: CredentialClaims, *, certificate_id: str, number: str, unit_code: str) -> bool:
    return (claims.certificate_id, claims.number, claims.unit_code) == (certificate_id, number, unit_code)
