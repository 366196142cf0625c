"""RFC 3161 timestamps for the seal: over HTTP from a city's authority, or from a key on this machine."""

import datetime as dt
import secrets

import httpx
from asn1crypto import cms, core, tsp, x509
from pyhanko.sign.signers import Signer
from pyhanko.sign.timestamps import TimeStamper

_POLICY = "0.4.0.2023.1.1"  # ETSI EN 319 421: best-practices timestamp policy
_SERIAL_BITS = 64


class LocalTimeStamper(TimeStamper):
    """A time-stamping authority in this process, for a machine that has no other within reach."""

    def __init__(self, signer: Signer) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko leaves it unannotated
        if signer.signing_cert is None:
            raise ValueError("a time-stamping authority needs a certificate")
        self._signer = signer
        self._name = x509.GeneralName("directory_name", signer.signing_cert.subject)

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        imprint = req["message_imprint"]
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": tsp.ObjectIdentifier(_POLICY),
                "message_imprint": imprint,
                "serial_number": secrets.randbits(_SERIAL_BITS),
                "gen_time": dt.datetime.now(dt.UTC).replace(microsecond=0),
                "nonce": req["nonce"],
                "tsa": self._name,
            }
        )
        content = cms.EncapsulatedContentInfo(
            {"content_type": "tst_info", "content": core.ParsableOctetString(info.dump())}
        )
        digest = imprint["hash_algorithm"]["algorithm"].native
        token = await self._signer.async_sign_general_data(content, digest, detached=False)
        return tsp.TimeStampResp(
            {"status": tsp.PKIStatusInfo({"status": tsp.PKIStatus("granted")}), "time_stamp_token": token}
        )


class HttpTimeStamper(TimeStamper):
    """A time-stamping authority reached by HTTP POST (RFC 3161, 3.4)."""

    def __init__(self, url: str, *, seconds: float = 5.0, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko leaves it unannotated
        self._url = url
        self._seconds = seconds
        self._transport = transport

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Raises OSError, as pyHanko expects, when the authority cannot be reached or refuses."""
        headers = {"Content-Type": "application/timestamp-query"}
        try:
            # A client per request: signing runs in threads, each with an event loop of its own.
            async with httpx.AsyncClient(timeout=self._seconds, transport=self._transport) as client:
                answer = await client.post(self._url, content=req.dump(), headers=headers)
            answer.raise_for_status()
            return tsp.TimeStampResp.load(answer.content)
        except (httpx.HTTPError, ValueError) as error:
            raise OSError("the time-stamping authority gave no usable answer") from error
