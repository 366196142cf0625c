"""Whose rows an account may see: those of its districts, and what has no district only with the whole city's."""

from typing import Any

from kit.web.edge import Call
from kit.web.errors import PermissionMissing
from server.terms.scope import Scope

BOOKS = "账目"
"""One merchant serves all districts, and no order says which."""


def scope_of(call: Call[Any]) -> Scope:
    """The districts of the account that calls."""
    return Scope(call.who.districts)


def check_whole_city(call: Call[Any], what: str) -> None:
    """PERMISSION_MISSING for an account that is limited to some districts; `what` cannot be told apart by them."""
    if call.who.districts is not None:
        raise PermissionMissing(
            f"{what}不分区县，您的账号只限部分区县。请改用可查看全部区县的账号，或请账号管理员为您开通"
        )
