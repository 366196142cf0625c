import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.verify_offline import cases
from server.certificates.credential import key_id_of, verify

KEY = ec.generate_private_key(ec.SECP256R1())
ES256 = ec.ECDSA(hashes.SHA256())


def test_both_contenders_check_the_same_signature():
    first, second = cases(KEY, 2)
    public = KEY.public_key()
    public.verify(first.signature, first.signed, ES256)
    assert verify(first.credential, keys={key_id_of(public): public}).certificate_id == f"{1:032x}"
    with pytest.raises(InvalidSignature):
        public.verify(first.signature, second.signed, ES256)
