"""The baseline of `payment_notifications`: the same signature check, decryption and sealing, and the same rows.

Bare Sanic and a raw aiomysql pool; no ORM, no log, no routing table of ours. The two INSERTs are those that one of our
requests sends, in one transaction. Started as
`python -m bench.bare_notifications <database url> <port> <platform's public key> <file with the APIv3 key>`.
"""

import base64
import os
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import aiomysql
import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sanic import HTTPResponse, Request, Sanic

from bench.bare import bare_app

_WINDOW_SECONDS = 300
INBOX = (
    "INSERT INTO `kit_inbox` (`id`,`system`,`external_id`,`body_sealed`,`received_at`) "
    "VALUES (%s,'wechat_pay',%s,UNHEX(%s),%s)"
)
OUTBOX = (
    "INSERT INTO kit_outbox (id, event_name, event_version, handler, ordering_key, payload, state, available_at, "
    "request_id, created_at) VALUES (%s, 'payments.notice_arrived', 1, 'payments.settle_notice', %s, %s, 'pending', "
    "%s, '', %s)"
)


def opened(request: Request, key: RSAPublicKey, apiv3: AESGCM) -> tuple[str, bytes]:
    """The notice's id and its resource in clear; InvalidSignature or InvalidTag when it is not genuine."""
    timestamp, nonce = request.headers["wechatpay-timestamp"], request.headers["wechatpay-nonce"]
    if abs(time.time() - int(timestamp)) > _WINDOW_SECONDS:
        raise InvalidSignature
    message = f"{timestamp}\n{nonce}\n".encode() + request.body + b"\n"
    key.verify(base64.b64decode(request.headers["wechatpay-signature"]), message, PKCS1v15(), SHA256())
    notice = orjson.loads(request.body)
    sealed = notice["resource"]
    clear = apiv3.decrypt(
        sealed["nonce"].encode(), base64.b64decode(sealed["ciphertext"]), sealed["associated_data"].encode()
    )
    return notice["id"], clear


def create_app(database: str, key: RSAPublicKey, apiv3: AESGCM) -> Sanic[Any, Any]:
    """One route, and nothing around it."""
    app = bare_app("bare-notifications", database)
    ours = AESGCM(os.urandom(32))

    @app.post("/callbacks/wechat_pay")
    async def notified(request: Request) -> HTTPResponse:
        try:
            notice_id, clear = opened(request, key, apiv3)
        except InvalidSignature:
            return HTTPResponse(status=401)
        inbox_id, now = uuid.uuid4().hex, datetime.now(UTC).replace(tzinfo=None)
        nonce = os.urandom(12)
        sealed = nonce + ours.encrypt(nonce, clear, inbox_id.encode())
        number = orjson.loads(clear)["out_trade_no"]
        payload = orjson.dumps({"inbox_id": inbox_id, "out_trade_no": number}).decode()
        async with app.ctx.pool.acquire() as connection, connection.cursor() as cursor:
            try:
                await cursor.execute(INBOX, (inbox_id, notice_id, sealed.hex(), now))
                await cursor.execute(OUTBOX, (uuid.uuid4().hex, number, payload, now, now))
                await connection.commit()
            except aiomysql.IntegrityError:  # heard before
                await connection.rollback()
        return HTTPResponse(status=204)

    return app


def main() -> None:
    database, port, key_file, apiv3_file = sys.argv[1:]
    key = cast("RSAPublicKey", load_pem_public_key(Path(key_file).read_bytes()))
    apiv3 = AESGCM(Path(apiv3_file).read_text(encoding="utf-8").strip().encode())
    create_app(database, key, apiv3).run(port=int(port), single_process=True, access_log=False, motd=False)


if __name__ == "__main__":
    main()
