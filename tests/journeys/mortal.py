"""A worker that dies at every planned point, and is started again each time with those that are left."""

import json
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from tests.journeys.city import City

_LEASE_SECONDS = 1.1
_LOOK_SECONDS = 0.01


class Mortal:
    """Keeps `city`'s worker running while the block lasts; `died_at` says where it was killed, in order."""

    def __init__(self, city: City, points: Iterable[str]) -> None:
        self.left = list(points)
        self.died_at: list[str] = []
        self._city = city
        self._stop = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._watch_safely)

    def __enter__(self) -> Self:
        self._city.kill("worker")
        self._start()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        if self._failed is not None:
            raise self._failed from error

    def await_all(self, seconds: float = 120.0) -> None:
        """Until it has died everywhere."""
        deadline = time.monotonic() + seconds
        while self.left:
            assert time.monotonic() < deadline, f"never reached: {self.left}"
            time.sleep(0.05)

    def _start(self) -> None:
        plan = {"YICHUANG_WORKER__CRASH_AT": ",".join(self.left)} if self.left else {}
        self._city.start_worker(**plan)

    def _watch_safely(self) -> None:
        try:
            self._watch()
        except BaseException as error:  # noqa: BLE001 - raised again where the test sees it
            self._failed = error

    def _watch(self) -> None:
        while not self._stop.is_set():
            if not self._city.running("worker"):
                point = self._last_point()
                self.left.remove(point)
                self.died_at.append(point)
                # The dead worker's rows are free once their lease has run out.
                self._city.move_clock(_LEASE_SECONDS)
                self._start()
            time.sleep(_LOOK_SECONDS)

    def _last_point(self) -> str:
        lines = self._city.log("worker").read_text(encoding="utf-8").splitlines()
        last = json.loads(lines[-1])
        assert last["event"] == "planned_crash", f"the worker ended unplanned: {lines[-3:]}"
        return str(last["point"])
