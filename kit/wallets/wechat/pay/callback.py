"""Notices of WeChat Pay: from raw bytes that anyone may have sent to what the platform said."""

from collections.abc import Mapping
from typing import Any

from kit.clock import Clock
from kit.wallets.errors import BadNotice
from kit.wallets.transport import json_object
from kit.wallets.wechat.pay.keys import PlatformKeys, apiv3_key
from kit.wallets.wechat.pay.resource import BadResourceError, open_resource
from kit.wallets.wechat.pay.signing import UnverifiedError, verify

_LARGEST = 64 * 1024


class PayNotices:
    """Opens notices. Needs no network: a serial that is not on the list is refused, never looked up."""

    def __init__(self, keys: PlatformKeys, key: str, clock: Clock) -> None:
        """Take the APIv3 key as `key`; raise KeyProblemError unless it has 32 bytes."""
        self._keys = keys
        self._key = apiv3_key(key)
        self._clock = clock

    def open(self, headers: Mapping[str, str], raw_body: bytes) -> dict[str, Any]:
        """Return the notice with its `resource` opened in place; raise BadNotice and nothing else.

        A genuine notice may come again, within the 300 seconds or by a later retry with a new signature: its
        `id` tells. App, merchant and amount are the caller's to compare.
        """
        if len(raw_body) > _LARGEST:
            raise BadNotice("too_large")
        try:
            verify(self._keys, headers, raw_body, self._clock)
        except UnverifiedError as error:
            raise BadNotice(error.reason) from None
        notice = json_object(raw_body)
        if notice is None or not _well_formed(notice):
            raise BadNotice("unreadable")
        try:
            return {**notice, "resource": open_resource(notice["resource"], self._key)}
        except BadResourceError:
            raise BadNotice("bad_resource") from None


def _well_formed(notice: dict[str, Any]) -> bool:
    named = all(isinstance(notice.get(name), str) and notice[name] for name in ("id", "event_type"))
    return named and notice.get("resource_type") == "encrypt-resource" and isinstance(notice.get("resource"), dict)
