"""Who takes part, in what: the resale of unit H1 by its two co-owners to a buyer."""

from sandbox.people import FICTIONAL, Person

SELLER, CO_SELLER, BUYER = FICTIONAL[:3]
PARTIES: tuple[Person, ...] = (SELLER, CO_SELLER, BUYER)
SELLERS = (SELLER, CO_SELLER)

BUSINESS = "TRANSFER_RESALE"
UNIT_CODE = "320114001002GB00012F00180302"
OLD_NUMBER = "苏(2019)南京市不动产权第0000012号"
PRICE_FEN = 200_000_000
FEE_FEN = 8_000
DEED_TAX_FEN = 2_000_000

_WHOLE = {"numerator": 1, "denominator": 1}

OFFICER_USERNAME = "demo.officer"
OFFICER_NAME = "演示登记员"
CLERK_USERNAME = "demo.clerk"
CLERK_NAME = "演示窗口人员"

RECEIVER = {
    "name": BUYER.name,
    "phone": BUYER.phone,
    "district": "320106",
    "address": "样板路8号幸福小区3栋2单元501室",
    "postcode": "210009",
}

# What each side answers truthfully to the inquiry; a question not named here is one the demo does not know.
_SAID_BY_ALL = {"true_intent": "yes", "shares_agreed": "yes", "other_matters": "no"}
SELLERS_ANSWERS = {
    **_SAID_BY_ALL,
    "ownership": "shared",
    "co_ownership": "joint",
    "co_owners_consent": "yes",
    "mortgage": "none",
    "habitation": "no",
    "lease": "none",
}
BUYERS_ANSWERS = {**_SAID_BY_ALL, "future_ownership": "sole", "burdens_known": "yes"}


def application() -> dict[str, object]:
    """What the seller types in, their own data prefilled.

    Joint owners (共同共有) have no shares, the buyer's is the whole.
    """
    return {
        "business_type": BUSINESS,
        "unit_code": UNIT_CODE,
        "certificate_number": OLD_NUMBER,
        "price_fen": PRICE_FEN,
        "sole_home_over_five_years": True,
        "parties": [
            {"role": "seller", "is_me": True},
            _party(CO_SELLER, "seller"),
            _party(BUYER, "buyer") | {"share": _WHOLE},
        ],
    }


def _party(person: Person, role: str) -> dict[str, object]:
    return {"role": role, "name": person.name, "id_number": person.id_number, "phone": person.phone}
