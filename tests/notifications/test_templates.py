import re
from pathlib import Path

import pytest

from notifications import templates
from notifications.checking import flaws, samples
from notifications.rules import fitted_for, segments
from notifications.templates import Limits, SmsUse, VariableKind, from_content, placeholders
from sandbox.templates import TEMPLATE_NAMES
from sandbox.wechat.keywords import first_bad_field
from tests.factories.notifications import PARAMS

SHIPPED = templates.load()
LIMITS = Limits()


def _params(code: str) -> dict[str, str]:
    return {**samples(SHIPPED[code].variables), **{k: v for k, v in PARAMS.items() if k in SHIPPED[code].params}}


@pytest.mark.parametrize("code", sorted(SHIPPED))
def test_what_is_shipped_would_be_taken_if_staff_saved_it(code: str) -> None:
    template = SHIPPED[code]
    assert flaws(template, template.variables, LIMITS) == []
    assert set(template.variables) == template.params


@pytest.mark.parametrize("code", sorted(SHIPPED))
def test_what_is_shipped_is_what_the_channels_take(code: str) -> None:
    rendered = SHIPPED[code].render(_params(code))
    for channel, given in rendered.channels.items():
        made = fitted_for(channel, given, LIMITS)
        assert not [value for value in made.values() if not value or "\n" in value or "{" in value]
        if channel == "wechat":
            assert first_bad_field({field: {"value": value} for field, value in made.items()}) is None
    assert "{" not in rendered.title + rendered.body + rendered.page
    assert len(rendered.page) < 128


@pytest.mark.parametrize("code", sorted(SHIPPED))
def test_the_worst_of_params_still_fits(code: str) -> None:
    longer = {
        name: "长" * 60
        for name, each in SHIPPED[code].variables.items()
        if each.kind in {VariableKind.TEXT, VariableKind.FREE}
    }
    rendered = SHIPPED[code].render({**_params(code), **longer})
    made = fitted_for("wechat", rendered.channels["wechat"], LIMITS)
    assert first_bad_field({field: {"value": value} for field, value in made.items()}) is None
    fitted_for("alipay", rendered.channels["alipay"], LIMITS)


@pytest.mark.parametrize("code", sorted(code for code in SHIPPED if SHIPPED[code].sms_text))
def test_a_text_message_says_nothing_of_a_person_and_is_charged_as_two_at_most(code: str) -> None:
    template = SHIPPED[code]
    kinds = {template.variables[name].kind for name in template.sms_params}
    assert kinds <= {VariableKind.CODE, VariableKind.TIME, VariableKind.DATE, VariableKind.AMOUNT, VariableKind.TEXT}
    assert segments(template.sms_text.format_map(samples(template.variables))) <= 2
    assert template.sms is SmsUse.FALLBACK


def test_every_subscription_template_has_its_words() -> None:
    assert SHIPPED.keys() >= set(TEMPLATE_NAMES)


@pytest.mark.parametrize("code", sorted(SHIPPED))
def test_a_version_is_read_as_it_was_written(code: str) -> None:
    assert from_content(code, 1, SHIPPED[code].content()) == SHIPPED[code]


def test_the_parameters_of_a_text_message_are_numbered_as_they_appear() -> None:
    fields = SHIPPED["fee_due"].render(PARAMS).channels["sms"]
    assert fields == {"1": PARAMS["number"], "2": PARAMS["amount"]}


def test_a_missing_param_is_named() -> None:
    with pytest.raises(ValueError, match="fee_due lacks amount"):
        SHIPPED["fee_due"].render({name: text for name, text in PARAMS.items() if name != "amount"})


@pytest.mark.parametrize("text", ["{a.__class__}", "{a!r}", "{a:>9}", "{}", "{", "{0}"])
def test_only_a_name_may_stand_in_braces(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        list(placeholders(text))


HEAD = "variables: {v: {kind: text, longest: 5}}\ntemplates:\n"
ENTRY = "- {code: a, name: n, title: t, body: b, page: p, fields: {thing1: x}}\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD + ENTRY.replace("title: t", "title: ''"), "lacks a text"),
        (HEAD + ENTRY * 2, "share a code"),
        (HEAD + ENTRY.replace("thing1: x", "thing1: '{w}'"), "undeclared w"),
    ],
)
def test_a_file_that_is_not_well_formed_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "templates.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(complaint)):
        templates.load(path)
