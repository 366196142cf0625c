"""python -m sandbox.run: the embedded mode beside the sandbox, kept from one run to the next."""

import argparse
import contextlib
import json
import secrets
import sys
import textwrap
import threading
from pathlib import Path

from sandbox.people import FICTIONAL
from sandbox.phones.journey import Journey, NotAsItShould
from sandbox.phones.outside import OutsideWorld
from sandbox.phones.phone import API, REAL_NAME, Phone
from sandbox.run import houses, partners
from sandbox.run.houses import Houses
from sandbox.run.installation import free_ports, is_free
from sandbox.run.partners import Partners
from sandbox.run.processes import ROOT, ProcessFailed, only_one, speak_utf8, stop_on_signals

HOUSE, PARTNERS = ROOT / "var" / "embedded" / "run", ROOT / "var" / "sandbox" / "run"
_FIRST_CHOICE = (8000, 9100, 9101)
_STAFF = {"officer": "演示登记员", "clerk": "演示窗口人员", "finance": "演示财务人员"}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="sandbox.run", description="Serve the embedded mode until Ctrl-C.")
    parser.parse_args(arguments)
    stop_on_signals()
    speak_utf8()
    try:
        _serve()
    except KeyboardInterrupt:
        print("\nstopped")
    except (NotAsItShould, ProcessFailed, OSError) as error:
        sys.exit(str(error))


def _serve() -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(only_one(HOUSE.with_suffix(".lock")))
        print("starting the sandbox")
        world = partners.start(PARTNERS, time_scale=1.0, fresh_books=False)
        stack.callback(world.process.stop)
        print("preparing keys, database and the demonstration register")
        both = houses.prepare_embedded(HOUSE, world, ports=_ports())
        accounts = _accounts(both)
        print("starting server and worker")
        stack.enter_context(houses.running(both))
        _say_where(both, world, accounts)
        threading.Event().wait()


def _ports() -> tuple[int, int, int]:
    """Those of the last run, since issued certificates carry the address; else the usual ones; else any."""
    kept = HOUSE / "ports.json"
    ports = _read_ports(kept) if kept.exists() else _FIRST_CHOICE
    if not all(map(is_free, ports)):
        if kept.exists():
            print("the ports of the last run are taken: QR codes issued then lead to the old address")
        ports = free_ports()
    HOUSE.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(ports))
    return ports


def _read_ports(kept: Path) -> tuple[int, int, int]:
    server, metrics, worker = json.loads(kept.read_text())
    return server, metrics, worker


def _accounts(both: Houses) -> Path:
    """The file with the accounts of the demo's staff, made on the first run."""
    path = HOUSE / "staff.txt"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text("\n".join(_account(both, role, name) for role, name in _STAFF.items()), encoding="utf-8")
        print(f"made accounts of staff, kept in {path}:")
        print(textwrap.indent(path.read_text(encoding="utf-8"), "  "), end="")
    return path


def _account(both: Houses, role: str, name: str) -> str:
    username, password = f"demo.{role}", secrets.token_urlsafe(15)
    totp = both.create_staff(role, username=username, name=name, password=password)
    return f"username: {username}\npassword: {password}\nauthenticator: {totp}\n"


def _say_where(both: Houses, world: Partners, accounts: Path) -> None:
    base = both.platform.url
    rows = {
        "interface": f"{base}/docs",
        "health": f"{base}/healthz",
        "a certificate's link": _seeded_link(both, world),
        "staff": f"{base}/staff/v1 (accounts in {accounts})",
        "metrics": " and ".join(f"http://127.0.0.1:{port}/metrics" for port in both.platform.ports[1:]),
        "sandbox's control": f"{world.url}/_control/people (see sandbox/README.md)",
        "logs": str(both.platform.folder / "logs"),
    }
    print("\n".join(f"  {name:<22}{where}" for name, where in rows.items()))
    print("Ctrl-C stops everything")


def _seeded_link(both: Houses, world: Partners) -> str:
    """The link on the seeded certificate of 张明 (P1), asked for from his phone."""
    outside, journey = OutsideWorld(world.url, world.directory), Journey()
    phone = Phone.of(FICTIONAL[0], base_url=both.platform.url, journey=journey, outside=outside)
    with contextlib.closing(outside), contextlib.closing(phone.calls):
        phone.log_in()
        if phone.calls.get("see who I am", f"{API}/me")["level"] < REAL_NAME:
            phone.prove_real_name()

        def held() -> str | None:
            items = phone.calls.get("see my certificates", f"{API}/certificates")["items"]
            return str(items[0]["id"]) if items else None

        certificate = journey.wait_for("the seeded certificates", held)
        return str(phone.calls.get("open one", f"{API}/certificates/{certificate}")["link"])
