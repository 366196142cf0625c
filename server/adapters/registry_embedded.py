"""Platform and registry in one process and one database: the same messages, without a wire between them."""

from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.files.store import FileStore
from kit.ids import new_id
from kit.inbox import Inbox
from kit.outbox import Outbox
from server.adapters.registry_wire import encode_down, encode_up
from server.registry import ports as registry
from server.registry import rules as registry_rules
from server.registry.events import PlatformMessageArrived
from server.registry.service import answer_query
from server.relay.events import RegistryMessageArrived
from server.terms.messages import DownMessage, UpMessage
from server.terms.unit_record import UnitRecord

UP, DOWN = "platform", "registry"
"""The systems that messages come from, as the inbox of the other side names them."""


class EmbeddedPlatform:
    """Implements `registry.ports.Platform`: what is sent lies in the platform's inbox."""

    def __init__(self, outbox: Outbox, cipher: Cipher, clock: Clock) -> None:
        self._inbox = Inbox(outbox, cipher, clock)

    async def send(self, message: DownMessage) -> None:
        await self._inbox.receive(
            system=DOWN,
            external_id=message.id,
            body=encode_down(message),
            announce=lambda inbox_id: RegistryMessageArrived(inbox_id, message.application_id),
        )


class EmbeddedRegistry:
    """Implements `relay.ports.CentralRegistry` upon the registry's own rooms."""

    def __init__(self, needs: registry.Needs, files: FileStore) -> None:
        """`files` is the platform's store; the registry's comes with `needs` and is the same here."""
        self._needs, self._files = needs, files
        self._inbox = Inbox(needs.outbox, needs.cipher, needs.clock)

    async def query_unit(self, *, unit_code: str, certificate_number: str) -> UnitRecord | None:
        return await answer_query(
            self._needs, unit_code=unit_code, certificate_number=certificate_number, nonce=new_id()
        )

    async def put_material(self, *, application_id: str, scope: str, digest: str) -> None:
        await self._files.copy(scope=scope, digest=digest, to_scope=registry_rules.material_scope(application_id))

    async def send(self, message: UpMessage) -> None:
        await self._inbox.receive(
            system=UP,
            external_id=message.id,
            body=encode_up(message),
            announce=lambda inbox_id: PlatformMessageArrived(inbox_id, message.application_id),
        )
