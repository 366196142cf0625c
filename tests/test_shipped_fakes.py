"""Every port to the outside has an equal that is shipped: the product runs whole without any partner."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

import notifications.ports
import payments.ports
import server
from notifications.channels.fake import FakeChannel, FakeSms
from payments.providers.fake import FakeWallet
from payments.providers.fake_bills import FakeBills
from server.adapters.fake_carrier import FakeCarrier
from server.adapters.fake_departments import FakeDepartments
from server.adapters.fake_face import FakeFace
from server.adapters.fake_login import FakeAlipay
from server.adapters.fake_login import FakeWallet as FakeLogin
from server.adapters.fake_tax import FakeBureau
from server.adapters.registry_embedded import EmbeddedPlatform, EmbeddedRegistry
from server.adapters.seal import FileSeal
from server.journeys.opening_days import CatalogueWorkingDays

EQUALS: dict[str, tuple[type, ...]] = {
    "payments.Ordering": (FakeWallet,),
    "payments.Notices": (FakeWallet,),
    "payments.Refunds": (FakeWallet,),
    "payments.Bills": (FakeBills,),
    "notifications.Channel": (FakeChannel, FakeSms),
    "notifications.Receipts": (FakeSms,),
    "identity.WalletLogin": (FakeLogin, FakeAlipay),
    "identity.PhoneNumbers": (FakeLogin, FakeAlipay),
    "identity.FaceVerification": (FakeFace,),
    "delivery.Carrier": (FakeCarrier,),
    "delivery.Pushes": (FakeCarrier,),
    "sharing.IdentityVerification": (FakeDepartments,),
    "sharing.InformationLookup": (FakeDepartments,),
    "applications.TaxBureau": (FakeBureau,),
    # The embedded link, the demo's seal (a file's, which `DemoSeal.open` gives) and our own table of working days need
    # nobody outside, so they are the equals of a registry over HTTP, a seal of the city and a calendar asked for.
    "relay.CentralRegistry": (EmbeddedRegistry,),
    "registry.Platform": (EmbeddedPlatform,),
    "certificates.Seal": (FileSeal,),
    "appointments.WorkingDays": (CatalogueWorkingDays,),
}
# What one feature needs of another, or of our own wire: nothing outside stands behind these.
INSIDE = {"relay.Codec", "registry.Codec", "registry.Procedure", "registry.Procedures", "notifications.AddressBook"}


def _rooms() -> Iterator[tuple[str, ModuleType]]:
    yield "payments", payments.ports
    yield "notifications", notifications.ports
    for room in pkgutil.iter_modules(server.__path__):
        if room.ispkg and importlib.util.find_spec(f"server.{room.name}.ports"):
            yield room.name, importlib.import_module(f"server.{room.name}.ports")


def _ports() -> dict[str, type]:
    """Every Protocol that a feature's ports module defines itself."""
    return {
        f"{room}.{name}": found
        for room, module in _rooms()
        for name, found in vars(module).items()
        if getattr(found, "_is_protocol", False) and found.__module__ == module.__name__
    }


def _methods(port: type) -> dict[str, Callable[..., object]]:
    return {name: each for name, each in vars(port).items() if inspect.isfunction(each) and not name.startswith("_")}


def _asks(method: Callable[..., object]) -> list[tuple[str, object, bool]]:
    given = inspect.signature(method).parameters.values()
    return [(each.name, each.kind, each.default is inspect.Parameter.empty) for each in given]


def _attributes(equal: type) -> set[str]:
    """What instances have: of the class, and what its constructor sets."""
    made = vars(equal).get("__init__")
    return {*dir(equal), *(made.__code__.co_names if inspect.isfunction(made) else ())}


def _misses(port: type, equal: type) -> list[str]:
    """The port's methods and properties that `equal` lacks, or takes in another form."""
    given = _attributes(equal)
    missed = [name for name, each in vars(port).items() if isinstance(each, property) and name not in given]
    for name, method in _methods(port).items():
        own = getattr(equal, name, None)
        if own is None or inspect.iscoroutinefunction(own) != inspect.iscoroutinefunction(method):
            missed.append(name)
        elif _asks(own) != _asks(method):
            missed.append(f"{name}{inspect.signature(own)}")
    return missed


def test_every_port_is_known_to_lead_outside_or_not():
    assert sorted(_ports()) == sorted(EQUALS.keys() | INSIDE)


@pytest.mark.parametrize(("port", "equal"), [(port, each) for port, equals in EQUALS.items() for each in equals])
def test_every_port_to_the_outside_has_an_equal_that_is_shipped(port: str, equal: type):
    assert equal.__module__.split(".")[0] in {"server", "payments", "notifications"}
    assert _methods(_ports()[port])
    assert _misses(_ports()[port], equal) == []


def test_an_equal_that_lacks_a_method_or_takes_another_form_is_found():
    class Half:
        async def declare(self, sale: object) -> None: ...

    assert _misses(_ports()["applications.TaxBureau"], Half) == ["declare(self, sale: object) -> None", "read_notice"]
    assert _misses(_ports()["payments.Ordering"], FakeBills) == ["account", "prepare", "query", "close"]
