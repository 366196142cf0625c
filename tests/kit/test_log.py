import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import BaseModel

from kit import log
from kit.ids import new_id

ID_NUMBER = "11010519491231002X"
PHONE = "13800138000"
TOKEN = "q4mFYkYJ0nP0k6yqS2ZC2bq0oCq9fUj1p7wB1rTzXyA"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def lines(out: io.StringIO) -> Lines:
    log.configure("DEBUG", out)
    return lambda: [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_json_with_its_fixed_members(lines: Lines):
    log.get_logger("kit.test").info("row_claimed", handler="relay", attempts=3, at=datetime(2026, 1, 2, tzinfo=UTC))
    (line,) = lines()
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is not None
    assert line == {
        "level": "info",
        "logger": "kit.test",
        "event": "row_claimed",
        "handler": "relay",
        "attempts": 3,
        "at": "2026-01-02T00:00:00+00:00",
    }


def test_level_is_respected(out: io.StringIO):
    log.configure("WARNING", out)
    log.get_logger("a").info("quiet")
    logging.getLogger("b").info("quiet")
    log.get_logger("a").warning("loud")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["loud"]


async def test_request_ids_stay_with_their_task(lines: Lines):
    logger = log.get_logger("t")

    async def work(request_id: str) -> None:
        with log.request_scope(request_id):
            await asyncio.sleep(0)
            logger.info("work", mine=request_id)
            assert log.current_request_id() == request_id

    await asyncio.gather(*(work(f"r{n}") for n in range(3)))
    logger.info("outside")
    *inside, outside = lines()
    assert all(line["request_id"] == line["mine"] for line in inside)
    assert "request_id" not in outside


def test_set_request_id(lines: Lines):
    log.set_request_id("r1")
    try:
        log.get_logger("t").info("x")
    finally:
        log.set_request_id("")
    assert lines()[0]["request_id"] == "r1"


@pytest.mark.parametrize(
    "text",
    [
        ID_NUMBER,
        f"证件号{ID_NUMBER}有误",
        "old 110105491231002 id",
        PHONE,
        f"电话{PHONE}。",
        "+86 138-0013-8000",
        f"Authorization: Bearer {TOKEN}",
        f"session {TOKEN} expired",
        "GET /sns/jscode2session?appid=wx1&secret=abcdef&js_code=081abc",
        "?access_token=abc&x=1",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
        "touser o6_bmjrPTlm6_2sgVt7hMZOPfL2M failed",
        f"input_value='张三, 李四', input_type=str and {PHONE}",
        "title: Length of '王五 的家' 40 > 32",
    ],
)
def test_personal_data_is_taken_out_wherever_it_stands(lines: Lines, text: str):
    logger = log.get_logger("t")
    logger.info(text)
    logger.info("e", detail=text, deep={"list": [{"x": text}], text: 1})
    logging.getLogger("library").warning("got %s", text)
    logger.error("failed", exc_info=ValueError(text), error=ValueError(text))
    whole = json.dumps(lines(), ensure_ascii=False)
    secrets = (
        ID_NUMBER,
        "110105491231002",
        PHONE,
        "138-0013",
        TOKEN,
        "abcdef",
        "081abc",
        "=abc",
        "eyJzdWI",
        "o6_b",
        "张三",
        "王五",
    )
    assert [s for s in secrets if s in whole] == []
    assert log.REMOVED in whole


@pytest.mark.parametrize(
    "key", ["name", "party_name", "id_number", "phone", "phone_number", "access_token", "client_secret"]
)
def test_denied_keys_lose_their_value(lines: Lines, key: str):
    log.get_logger("t").info("e", **{key: "张三", "in": {key.upper(): ["李四"]}})
    (line,) = lines()
    assert line[key] == log.REMOVED
    assert line["in"] == {key.upper(): log.REMOVED}


def test_numbers_that_may_be_a_person_are_taken_out(lines: Lines):
    log.get_logger("t").info("e", amount_fen=8000, when=int(PHONE), ns=1763700000000000000)
    (line,) = lines()
    assert (line["amount_fen"], line["when"], line["ns"]) == (8000, log.REMOVED, 1763700000000000000)


def test_what_operators_need_stays(lines: Lines):
    made = [new_id() for _ in range(200)]
    digest = "1234567890123456" * 4
    log.get_logger("t").info("e", ids=made, digest=digest, event_name="paid", path=Path("/v/x"), ok=True, ms=1.5)
    (line,) = lines()
    assert (line["ids"], line["digest"], line["event_name"]) == (made, digest, "paid")
    assert (line["path"], line["ok"], line["ms"]) == ("/v/x", True, 1.5)


def test_an_unknown_object_tells_its_type_alone(lines: Lines):
    class Person(BaseModel):
        surname: str

    log.get_logger("t").info("e", person=Person(surname="张"), raw=b"\x00")
    (line,) = lines()
    assert (line["person"], line["raw"]) == ("<Person>", "<bytes>")


def test_exceptions_come_without_values(lines: Lines):
    class Form(BaseModel):
        age: int

    def parse(secret: str) -> None:
        try:
            Form.model_validate({"age": secret})
        except ValueError as error:
            raise ExceptionGroup("both", [RuntimeError(f"phone={secret}")]) from error

    try:
        parse("王小明")
    except ExceptionGroup:
        logging.getLogger("library").exception("failed")
    (line,) = lines()
    assert "王小明" not in json.dumps(line, ensure_ascii=False)
    found = line["exception"]
    assert found["type"] == "builtins.ExceptionGroup"
    assert found["frames"][-1].endswith(" parse")
    assert found["cause"]["type"].endswith("ValidationError")
    assert found["members"][0]["message"] == f"phone={log.REMOVED}"


def test_a_record_that_cannot_be_formatted_does_not_print_its_arguments(
    lines: Lines, capfd: pytest.CaptureFixture[str]
):
    (bridge,) = (h for h in logging.getLogger().handlers if isinstance(h, log._Bridge))
    bridge.handle(logging.LogRecord("l", 30, "p", 1, "%d", (PHONE,), None))
    assert lines() == [{"level": "error", "event": "a log line could not be written"}]
    assert PHONE not in "".join(capfd.readouterr())


def test_a_library_that_writes_urls_is_quiet(lines: Lines):
    logging.getLogger("httpx").info("HTTP Request: GET https://x/?code=1")
    assert lines() == []
