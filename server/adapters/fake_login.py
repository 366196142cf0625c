"""A wallet in memory: login and phone codes that are good once, as the real ones are."""

import secrets

from server.identity.errors import LoginCodeRejected, PhoneCodeRejected
from server.identity.ports import WalletIdentity


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

    async def number(self, code: str, openid: str) -> str:
        owner, number = self._phone_codes.pop(code, ("", ""))
        if owner != openid or not number:
            raise PhoneCodeRejected
        return number
