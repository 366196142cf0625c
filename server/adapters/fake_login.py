"""Wallets in memory: codes and proofs that are good for what the real ones' are good for."""

import secrets

from server.identity.errors import LoginCodeRejected, PhoneCodeRejected
from server.identity.ports import PhoneProof, WalletIdentity


class FakeWallet:
    """Serves as WalletLogin and PhoneNumbers; `give_*` stand for what the wallet's client hands to the phone."""

    def __init__(self, *, wallet: str = "wechat", app_id: str = "wx-fake") -> None:
        self.wallet = wallet
        self._app_id = app_id
        self._login_codes: dict[str, str] = {}
        self._phone_codes: dict[str, tuple[str, str]] = {}

    def give_login_code(self, openid: str) -> str:
        code = secrets.token_hex(16)
        self._login_codes[code] = openid
        return code

    def give_phone_code(self, openid: str, number: str) -> str:
        code = secrets.token_hex(16)
        self._phone_codes[code] = openid, number
        return code

    async def exchange(self, code: str) -> WalletIdentity:
        openid = self._login_codes.pop(code, None)
        if openid is None:
            raise LoginCodeRejected
        return WalletIdentity(
            wallet=self.wallet,
            app_id=self._app_id,
            openid=openid,
            session_key=secrets.token_hex(16),
        )

    async def number(self, proof: PhoneProof, openid: str) -> str:
        owner, number = self._phone_codes.pop(proof.code, ("", ""))
        if owner != openid or not number:
            raise PhoneCodeRejected
        return number


class FakeAlipay(FakeWallet):
    """As Alipay does it: a user id beside the open id, no session key, and phone proofs that name no person."""

    def __init__(self, *, app_id: str = "2021-fake") -> None:
        super().__init__(wallet="alipay", app_id=app_id)
        self._signed: dict[tuple[str, str], str] = {}

    def give_phone(self, number: str) -> PhoneProof:
        """Give the same `response` for the same number each time, and good any number of times."""
        proof = PhoneProof(response=f"sealed:{number}", sign=f"signed:{number}")
        self._signed[proof.response, proof.sign] = number
        return proof

    async def exchange(self, code: str) -> WalletIdentity:
        openid = self._login_codes.pop(code, None)
        if openid is None:
            raise LoginCodeRejected
        user_id = f"2088{abs(hash(openid)) % 10**12:012d}"
        return WalletIdentity(wallet=self.wallet, app_id=self._app_id, openid=openid, user_id=user_id)

    async def number(self, proof: PhoneProof, openid: str) -> str:  # noqa: ARG002 - Alipay's proof binds nobody
        number = self._signed.get((proof.response, proof.sign))
        if number is None:
            raise PhoneCodeRejected
        return number
