"""alipay.system.oauth.token, with the codes that phones are given, and `my.getPhoneNumber`."""

import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.alipay.gateway import Call
from sandbox.alipay.refusals import turned_away
from sandbox.alipay.stranger import strangers_key
from sandbox.answers import compact
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.people import People, Person
from sandbox.signing import cbc_encrypt, rsa_sign

CODE_SECONDS = 180
TOKEN_SECONDS = 1_296_000
REFRESH_SECONDS = 2_592_000


@dataclass(slots=True)
class _Grant:
    """A code or a refresh token; `ids` says which of user_id and open_id this app is given."""

    person: str
    ids: str
    expires_at: int
    used: bool = False


class Login:
    def __init__(self, *, keys: Keys, clock: Clock, people: People) -> None:
        self._keys = keys
        self._clock = clock
        self._people = people
        self._codes: dict[str, _Grant] = {}
        self._refresh_tokens: dict[str, _Grant] = {}

    def give_code(self, person: Person, ids: str = "both") -> str:
        """What `my.getAuthCode` gives the phone: good once."""
        code = secrets.token_hex(16)
        self._codes[code] = _Grant(person.key, ids, self._clock.timestamp() + CODE_SECONDS)
        return code

    def token(self, call: Call) -> dict[str, Any]:
        """`grant_type` and the rest are top-level parameters; every refusal is the gateway's, without a signature."""
        kind = call.params.get("grant_type")
        if kind == "authorization_code":
            return self._issue(self._redeem(self._codes, call.params.get("code", ""), "isv.code-invalid"))
        if kind == "refresh_token":
            token = call.params.get("refresh_token", "")
            return self._issue(self._redeem(self._refresh_tokens, token, "isv.refresh-token-invalid"))
        raise turned_away("40002", "isv.grant-type-invalid", "grant_type不支持")

    def phone_number(self, person: Person, *, refused: bool, wrong_key: bool = False) -> dict[str, str]:
        """What `my.getPhoneNumber` hands the page: signed over the quoted ciphertext; a refusal stays in clear."""
        signer = strangers_key() if wrong_key else self._keys.alipay_key
        if refused:
            clear = {
                "code": "40003",
                "msg": "Insufficient Conditions",
                "subCode": "isv.invalid-auth-relations",
                "subMsg": "无效的授权关系",
            }
            text = compact(clear)
            return {"response": text.decode(), "sign": rsa_sign(signer, text)}
        plain = compact({"code": "10000", "msg": "Success", "mobile": person.phone})
        response = cbc_encrypt(self._keys.alipay_aes_key, plain)
        return {"response": response, "sign": rsa_sign(signer, f'"{response}"'.encode())}

    def _redeem(self, grants: dict[str, _Grant], text: str, refused_as: str) -> _Grant:
        grant = grants.get(text)
        if grant is None or grant.used or grant.expires_at <= self._clock.timestamp():
            raise turned_away("40002", refused_as)
        grant.used = True
        return grant

    def _issue(self, grant: _Grant) -> dict[str, Any]:
        """Refreshing leaves nothing of the old pair: its refresh token is spent by being redeemed."""
        person = self._people.get(grant.person)
        if person is None:
            raise turned_away("40002", "isv.code-invalid")
        refresh_token = f"authusrB{secrets.token_hex(16)}"
        expires_at = self._clock.timestamp() + REFRESH_SECONDS
        self._refresh_tokens[refresh_token] = _Grant(grant.person, grant.ids, expires_at)
        answer: dict[str, Any] = {
            "access_token": f"authusrB{secrets.token_hex(16)}",
            "auth_start": self._clock.beijing()[:19].replace("T", " "),
            "expires_in": TOKEN_SECONDS,
            "re_expires_in": REFRESH_SECONDS,
            "refresh_token": refresh_token,
        }
        if grant.ids in {"both", "user_id"}:
            answer["user_id"] = person.alipay_user_id
        if grant.ids in {"both", "open_id"}:
            answer["open_id"] = person.alipay_open_id
        return answer
