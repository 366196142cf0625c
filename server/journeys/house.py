"""The house: what each feature is built on, filled once by wiring and handed to every endpoint and handler."""

from dataclasses import dataclass

import notifications.ports
import payments.ports
import server.applications.ports
import server.appointments.ports
import server.catalogue.ports
import server.certificates.ports
import server.delivery.ports
import server.identity.ports
import server.registry.ports
import server.relay.ports
import server.sharing.ports
import server.staff.ports
from kit.clock import Clock
from kit.crypto.cipher import Cipher
from kit.files.store import FileStore
from kit.outbox import Outbox


@dataclass(frozen=True)
class House:
    """One `Needs` per feature, and what all of them share. Both sides are filled; the role says which one is served."""

    role: str
    public_base_url: str
    clock: Clock
    outbox: Outbox
    cipher: Cipher
    files: FileStore
    identity: server.identity.ports.Needs
    staff: server.staff.ports.Needs
    catalogue: server.catalogue.ports.Needs
    appointments: server.appointments.ports.Needs
    applications: server.applications.ports.Needs
    sharing: server.sharing.ports.Needs
    relay: server.relay.ports.Needs
    registry: server.registry.ports.Needs
    certificates: server.certificates.ports.Needs
    delivery: server.delivery.ports.Needs
    payments: payments.ports.Needs
    notifications: notifications.ports.Needs
