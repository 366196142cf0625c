"""python -m sandbox.demo [--split] [--wallet WALLET] [--keep]: the whole case, step by step."""

import argparse
import contextlib
import secrets
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial

import httpx

from sandbox.demo import cast, picture
from sandbox.demo.materials import NoFontError
from sandbox.demo.pushes import Pushes
from sandbox.demo.report import Report, Step
from sandbox.demo.scene import Scene
from sandbox.demo.steps import ACTS, FIRST
from sandbox.demo.sweep import sweep
from sandbox.phones.alipay_phone import AlipayPhone
from sandbox.phones.caller import Caller
from sandbox.phones.clerk import Clerk
from sandbox.phones.handset import Handset
from sandbox.phones.journey import Journey, NotAsItShould, require
from sandbox.phones.officer import Officer
from sandbox.phones.outside import OutsideWorld
from sandbox.phones.phone import Phone
from sandbox.run import houses, partners
from sandbox.run.houses import Houses
from sandbox.run.processes import ROOT, ProcessFailed, only_one, speak_utf8, stop_on_signals

VAR = ROOT / "var"
RESULTS = VAR / "demo"
_HOUSE, _PARTNERS = VAR / "embedded" / "demo", VAR / "sandbox"
# 15 seconds until WeChat Pay repeats a notification become 0.15.
_TIME_SCALE = 0.01
PHONES: dict[str, type[Handset]] = {"wechat": Phone, "alipay": AlipayPhone}


def main(arguments: list[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    stop_on_signals()
    speak_utf8()
    journey = Journey()
    report = Report(journey)
    journey.says = report.waiting
    try:
        with only_one(_HOUSE.with_suffix(".lock")):
            _play(report, split=asked.split, wallet=asked.wallet, keep=asked.keep)
            _walk_sweep(report)
    except Exception as error:  # noqa: BLE001 - whatever it is, the reader is told in which step
        _explain(journey.step, error)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nstopped before the end", file=sys.stderr)
        sys.exit(130)
    finally:
        if journey.calls:
            journey.write(RESULTS / "journey.json", pushes=RESULTS / picture.PUSHES)
            picture.main([str(RESULTS / "journey.json"), str(RESULTS / "journey.svg")])
    report.summary(RESULTS)
    print("\nthe case went from login to a certificate that verifies")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox.demo", description="One real case, end to end.")
    parser.add_argument("--split", action="store_true", help="platform and registry as two processes over HTTP")
    parser.add_argument(
        "--wallet", choices=sorted(PHONES), default="wechat", help="the buyer's; the sellers have WeChat"
    )
    parser.add_argument("--keep", action="store_true", help="leave everything running afterwards, until Ctrl-C")
    return parser


def _play(report: Report, *, split: bool, wallet: str, keep: bool) -> None:
    """Every step on the running city; every process started here is ended here."""
    for folder in (RESULTS, _HOUSE):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        scenes: list[Scene] = []
        report.head()
        mode = "two processes and their databases" if split else "the embedded mode"

        def start() -> str:
            scenes.append(_open(stack, report.journey, split=split, wallet=wallet))
            return _look_after(scenes[0].houses)

        report.walk(Step(1, f"{mode} and the sandbox start", start))
        pushes = Pushes(scenes[0])
        for step in _steps(scenes[0]):
            report.walk(step)
            pushes.note()
        if keep:
            _stay(scenes[0].houses)


def _steps(scene: Scene) -> Iterator[Step]:
    for number, (what, act) in enumerate(ACTS, start=FIRST):
        yield Step(number, what, partial(act, scene))


def _open(stack: contextlib.ExitStack, journey: Journey, *, split: bool, wallet: str) -> Scene:
    world = partners.start(_PARTNERS, time_scale=_TIME_SCALE, fresh_books=True)
    stack.callback(world.process.stop)
    prepare = houses.prepare_split if split else houses.prepare_embedded
    both = prepare(_HOUSE, world)
    password = secrets.token_urlsafe(18)
    totp = both.create_staff("officer", username=cast.OFFICER_USERNAME, name=cast.OFFICER_NAME, password=password)
    clerks = both.create_staff("clerk", username=cast.CLERK_USERNAME, name=cast.CLERK_NAME, password=password)
    stack.enter_context(houses.running(both))
    outside = OutsideWorld(world.url, world.directory)
    url = both.platform.url
    kinds = {cast.BUYER.key: PHONES[wallet]}
    scene = Scene(
        journey=journey,
        houses=both,
        outside=outside,
        phones={
            each.key: kinds.get(each.key, Phone).of(each, base_url=url, journey=journey, outside=outside)
            for each in cast.PARTIES
        },
        officer=Officer(cast.OFFICER_USERNAME, password, totp, Caller(both.registry.url, journey, "officer")),
        clerk=Clerk(cast.CLERK_USERNAME, password, clerks, Caller(url, journey, "clerk")),
        passer_by=Caller(url, journey, "passer-by"),
        results=RESULTS,
    )
    stack.callback(scene.close)
    return scene


def _look_after(both: Houses) -> str:
    """The statuses of /readyz, as the step's own."""
    asked = Counter(httpx.get(f"{each.url}/readyz", trust_env=False).status_code for each in both.installations)
    require(set(asked) == {200}, f"/readyz answers {dict(asked)}")
    return f"200x{asked[200]}"


def _walk_sweep(report: Report) -> None:
    """After everything has stopped: what stays on the disk is what counts."""

    def look() -> None:
        findings = sweep(VAR)
        require(not findings, "personal data in clear:\n" + "\n".join(f"  {each}" for each in findings))

    report.walk(
        Step(max(report.milliseconds) + 1, "no name, ID number, phone or openid lies in clear on the disk", look)
    )


def _stay(both: Houses) -> None:
    print(f"\nstill running: {both.platform.url}/docs (officers: {both.registry.url}); Ctrl-C ends it")
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


def _explain(step: int, error: Exception) -> None:
    what = str(error) if isinstance(error, NotAsItShould | ProcessFailed | NoFontError | OSError) else repr(error)
    if step == 0:  # nothing has begun
        print(what, file=sys.stderr)
        return
    print(f"\nstep {step} failed: {what}", file=sys.stderr)
    print("the logs:", file=sys.stderr)
    for log in sorted([*_HOUSE.rglob("logs/*.log"), _PARTNERS / "sandbox.log"]):
        print(f"  {log}", file=sys.stderr)
