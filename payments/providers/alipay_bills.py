"""Alipay's trade bill of a day: its address asked for at the gateway, the zip fetched from a host that we know."""

import asyncio
from collections.abc import Collection
from datetime import date
from ipaddress import ip_address
from urllib.parse import urlsplit

from alipay.aop.api.domain.AlipayDataDataserviceBillDownloadurlQueryModel import (
    AlipayDataDataserviceBillDownloadurlQueryModel,
)
from alipay.aop.api.request.AlipayDataDataserviceBillDownloadurlQueryRequest import (
    AlipayDataDataserviceBillDownloadurlQueryRequest,
)

from kit.errors import OutsideError
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.errors import SYSTEM, AlipayError
from kit.wallets.transport import Downloading, may_pass
from payments.bills.bill import Bill
from payments.bills.parsing_alipay import parse
from payments.bills.unpacking import LARGEST_FILE
from payments.ports import BillNotReady

_ANSWERS = "alipay_data_dataservice_bill_downloadurl_query_response"
_NONE = frozenset({"isp.bill_not_exist", "isv.bill_not_exist", "BILL_NOT_EXIST"})
_OK = 200


class AlipayBills:
    """Bills of one seller. `hosts` are those that its files lie on: no other address is followed, whoever names it."""

    not_asked = "goes over the API of alipay pay and is not asked itself; whether we may have bills only a bill shows"

    def __init__(self, api: AlipayApi, http: Downloading, *, seller_id: str, hosts: Collection[str]) -> None:
        self._api = api
        self._http = http
        self._seller_id = seller_id
        self._hosts = frozenset(hosts)

    def check_config(self) -> list[str]:
        return [] if self._hosts else ["no host is named that bills may be fetched from: alipay.bill_hosts"]

    async def fetch(self, day: date) -> Bill:
        url = followed(await self._asked(day), self._hosts)
        if url is None:
            raise OutsideError(SYSTEM, "FOREIGN_ADDRESS", "a bill's address is on no host we know", permanent=True)
        status, raw = await self._http.download(url, most_bytes=LARGEST_FILE)
        if status != _OK:
            # The address is good for half a minute and once: the next attempt asks for another.
            raise OutsideError(SYSTEM, f"HTTP_{status}", "the bill's file is refused", permanent=not _another(status))
        # A hundred thousand lines take two seconds, in which the worker has other things to do.
        return await asyncio.to_thread(parse, raw, day=day, seller_id=self._seller_id)

    async def _asked(self, day: date) -> str:
        model = AlipayDataDataserviceBillDownloadurlQueryModel()
        model.bill_type = "trade"
        model.bill_date = day.isoformat()
        request = AlipayDataDataserviceBillDownloadurlQueryRequest(biz_model=model)
        try:
            answer = await self._api.call(request, answers=_ANSWERS)
        except AlipayError as error:
            if error.code in _NONE:
                raise BillNotReady(absent=True) from None
            raise
        url = answer.get("bill_download_url")
        if not isinstance(url, str) or not url:
            raise OutsideError(SYSTEM, "BAD_ANSWER", "no address in the answer", permanent=False)
        return url


def _another(status: int) -> bool:
    return may_pass(status) or status in {403, 404, 410}


def followed(url: str, hosts: Collection[str]) -> str | None:
    """The address to fetch, over https wherever it leaves this machine; None when its host is not among `hosts`.

    A host may be written with its port; without one, only the scheme's own port is meant.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    named = host if port is None else f"{host}:{port}"
    if named not in hosts or parts.username is not None or parts.scheme not in {"http", "https"}:
        return None
    if any(ord(each) <= ord(" ") for each in url):
        return None
    if parts.scheme == "https" or _is_loopback(host):
        return url
    return parts._replace(scheme="https").geturl()  # Alipay still writes http


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
