"""`verify_offline`: a certificate's credential checked without any network, against the bare signature check.

The baseline gets everything prepared: the signed bytes (Sig_structure of RFC 9052) and the signature in DER.
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bench.results import Figure
from bench.stage import Stage
from bench.statistics import alternate, middle, ratio
from server.certificates.claims import CertificateKind, CredentialClaims
from server.certificates.credential import issue, key_id_of, verify

NAME = "verify_offline"
CREDENTIALS = 200
TURNS = 20  # each credential so often in one round
_ES256 = ec.ECDSA(hashes.SHA256())
_ISSUED_ON = dt.date(2026, 11, 1)


@dataclass(frozen=True, slots=True)
class Case:
    """One credential, and the same check with everything prepared."""

    credential: bytes
    signature: bytes
    signed: bytes


def cases(key: ec.EllipticCurvePrivateKey, count: int) -> list[Case]:
    """So many different certificates' credentials."""
    return [_case(key, serial) for serial in range(1, count + 1)]


def _case(key: ec.EllipticCurvePrivateKey, serial: int) -> Case:
    claims = CredentialClaims(
        registry="320100",
        certificate_id=f"{serial:032x}",
        number=f"苏(2026)南京市不动产权第{serial:07d}号",
        unit_code=f"320102001001GB00001F{serial:08d}",
        issued_on=_ISSUED_ON,
        kind=CertificateKind.TITLE_CERTIFICATE,
    )
    credential = issue(claims, key=key, key_id=key_id_of(key.public_key()))
    protected, _, payload, signature = cbor2.loads(credential).value
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    return Case(credential, encode_dss_signature(r, s), signed)


def _timed(check: Callable[[Case], object], over: Sequence[Case]) -> float:
    """CPU microseconds per check."""
    started = time.process_time()
    for _ in range(TURNS):
        for case in over:
            check(case)
    return (time.process_time() - started) / (TURNS * len(over)) * 1e6


def measure(stage: Stage) -> Figure:  # noqa: ARG001 - every figure is asked the same way
    """CPU time of one check, with the keys loaded."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    keys = {key_id_of(public): public}
    checked = cases(key, CREDENTIALS)

    def ours(case: Case) -> object:
        return verify(case.credential, keys=keys)

    def bare(case: Case) -> object:
        return public.verify(case.signature, case.signed, _ES256)

    for check in (ours, bare):
        _timed(check, checked[:10])
    found = alternate({"ours": lambda: _timed(ours, checked), "bare": lambda: _timed(bare, checked)})
    value, baseline = middle(found["ours"]), middle(found["bare"])
    return Figure(
        name=NAME,
        value=value,
        baseline=baseline,
        unit="us CPU/check",
        ratio=ratio(ours=value, baseline=baseline),
        n=len(found["ours"]) * TURNS * CREDENTIALS,
    )
