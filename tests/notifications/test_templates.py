from pathlib import Path

import pytest

from notifications import templates
from notifications.rules import fitted
from sandbox.wechat.templates import TEMPLATE_NAMES, first_bad_field
from tests.factories.notifications import PARAMS


@pytest.mark.parametrize("code", sorted(templates.load()))
def test_what_is_shipped_is_what_wechat_takes(code: str) -> None:
    rendered = templates.load()[code].render(PARAMS)
    fields = fitted(rendered.fields)
    assert first_bad_field({field: {"value": value} for field, value in fields.items()}) is None
    assert "{" not in rendered.title + rendered.body + rendered.page
    assert len(rendered.page) < 128


@pytest.mark.parametrize("code", sorted(templates.load()))
def test_the_worst_of_params_still_fits(code: str) -> None:
    worst = {**PARAMS, "business": "长" * 60, "number": "", "amount": "123456789.00"}
    fields = fitted(templates.load()[code].render(worst).fields)
    assert first_bad_field({field: {"value": value} for field, value in fields.items()}) is None


def test_every_subscription_template_has_its_words() -> None:
    assert templates.load().keys() >= set(TEMPLATE_NAMES)


def test_a_missing_param_is_named() -> None:
    with pytest.raises(ValueError, match="fee_due lacks amount"):
        templates.load()["fee_due"].render({name: text for name, text in PARAMS.items() if name != "amount"})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("templates:\n- {code: a, name: n, title: '', body: b, page: p, fields: {}}", "lacks a text"),
        ("templates:\n" + "- {code: a, name: n, title: t, body: b, page: p, fields: {}}\n" * 2, "share a code"),
    ],
)
def test_a_file_that_is_not_well_formed_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "templates.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint):
        templates.load(path)
