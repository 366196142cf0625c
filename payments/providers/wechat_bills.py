"""WeChat Pay's trade bill of a day: asked for, downloaded, believed only when its digest and its sums are right."""

import asyncio
from datetime import date

from kit.errors import OutsideError
from kit.wallets.transport import Downloading
from kit.wallets.wechat.pay.client import PayTransport
from kit.wallets.wechat.pay.errors import SYSTEM
from payments.bills.bill import Bill, UnreadableBill
from payments.bills.parsing_wechat import parse
from payments.bills.unpacking import LARGEST_FILE
from payments.ports import BillNotReady

_PATH = "/v3/bill/tradebill"
_NOT_YET = "STATEMENT_CREATING"
# The platform says so of a day without trades, and stays with it.
_NONE = "NO_STATEMENT_EXIST"
_HASH = "SHA1"


class WechatBills:
    """Bills of one merchant; `http` brings files, and waits longer than an order may."""

    not_asked = "goes over the API of wechat pay and is not asked itself; whether we may have bills only a bill shows"

    def __init__(self, transport: PayTransport, http: Downloading, *, merchant_id: str) -> None:
        self._transport = transport
        self._http = http
        self._merchant_id = merchant_id

    def check_config(self) -> list[str]:
        return [] if self._merchant_id.isdecimal() else ["the merchant number has digits only"]

    async def fetch(self, day: date) -> Bill:
        url, digest = await self._asked(day)
        # The file carries no signature: the digest from the signed answer is what proves it.
        raw = await self._transport.download(self._http, url, most_bytes=LARGEST_FILE)
        # A hundred thousand lines take two seconds, in which the worker has other things to do.
        return await asyncio.to_thread(parse, raw, day=day, merchant_id=self._merchant_id, digest=digest)

    async def _asked(self, day: date) -> tuple[str, str]:
        params = {"bill_date": day.isoformat(), "bill_type": "ALL", "tar_type": "GZIP"}
        try:
            _, answer = await self._transport.get(_PATH, params=params)
        except OutsideError as error:
            if error.code in {_NOT_YET, _NONE}:
                raise BillNotReady(absent=error.code == _NONE) from None
            raise
        url, digest = answer.get("download_url"), answer.get("hash_value")
        if answer.get("hash_type") != _HASH:
            raise UnreadableBill("the digest told is no SHA-1")
        if not isinstance(url, str) or not isinstance(digest, str):
            raise OutsideError(SYSTEM, "BAD_ANSWER", "no address or digest in the answer", permanent=False)
        return url, digest
