"""Where identity's personal data is sealed, and under which index it is found again."""

from kit.crypto.cipher import Cipher, Place

PHONE, OPENID = "phone", "openid"
REAL_NAME_DIGEST = "real_name"


def resident(column: str, row_id: str) -> Place:
    return f"identity_resident.{column}", row_id


def account(column: str, row_id: str) -> Place:
    return f"identity_wallet_account.{column}", row_id


def face_check(column: str, row_id: str) -> Place:
    return f"identity_face_check.{column}", row_id


def real_name_digest(cipher: Cipher, *, name: str, id_number: str) -> str:
    """The digest a real-name check is bound to; keyed, since a plain one could be guessed back."""
    return cipher.digest_keyed(f"{id_number}\n{name}".encode(), purpose=REAL_NAME_DIGEST)
