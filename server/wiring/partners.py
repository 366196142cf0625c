"""The outside systems of the platform by their use; what nobody connected refuses with its name."""

from dataclasses import dataclass, field

from kit.http import HttpClient
from kit.http.signing import RequestVerifier
from kit.wallets.alipay.client import AlipayApi
from notifications.ports import Channel, Receipts
from notifications.templates import Limits
from payments.ports import Bills, Notices, Ordering, Refunds
from server.adapters.absent import absent
from server.adapters.departments import HubDepartments
from server.applications.ports import TaxBureau
from server.delivery.ports import Carrier, Pushes
from server.identity.ports import WalletDoor

WECHAT, ALIPAY = "wechat", "alipay"
DEPARTMENT_SECONDS = 3.0
"""How long one department is waited for; both sources together, each half of them by a guard of its own."""


def _closed(wallet: str) -> WalletDoor:
    return WalletDoor(login=absent(wallet), phones=absent(wallet), face=absent(wallet))


@dataclass
class Partners:
    """Ports by their use; `clients` are closed when the process ends."""

    doors: dict[str, WalletDoor] = field(default_factory=lambda: {name: _closed(name) for name in (WECHAT, ALIPAY)})
    alipay_api: AlipayApi | None = None
    taxes: TaxBureau = field(default_factory=lambda: absent("tax"))
    tax_verifier: RequestVerifier | None = None
    departments: HubDepartments = field(default_factory=lambda: absent("departments"))
    department_seconds: float = DEPARTMENT_SECONDS
    ordering: dict[str, Ordering] = field(default_factory=dict)
    notices: dict[str, Notices] = field(default_factory=dict)
    refunds: dict[str, Refunds] = field(default_factory=dict)
    bills: dict[str, Bills] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    receipts: dict[str, Receipts] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    carriers: dict[str, Carrier] = field(default_factory=dict)
    pushes: Pushes | None = None
    clients: list[HttpClient] = field(default_factory=list)

    def client(self, system: str, *, timeout: float = 10.0, limit: int = 32) -> HttpClient:
        """A client of its own for each system, so that one that hangs takes no other's places."""
        made = HttpClient(system, timeout=timeout, limit=limit)
        self.clients.append(made)
        return made
