import pytest

from server.terms.certificate_number import CertificateKind, CertificateNumber
from server.terms.errors import TermError

PRINTED = "苏(2019)南京市不动产权第0000012号"


@pytest.mark.parametrize(
    "typed",
    [
        PRINTED,
        "苏（2019）南京市不动产权第0000012号",
        "苏〔２０１９〕南京市 不动产权第 0000012 号",
        "苏【2019】南京市不动产权第0000012号",
    ],
)
def test_brackets_of_any_width(typed: str) -> None:
    number = CertificateNumber.parse(typed)
    assert str(number) == PRINTED
    assert number.kind is CertificateKind.TITLE
    assert (number.province, number.year, number.place, number.serial) == ("苏", 2019, "南京市", "0000012")


def test_registration_proof() -> None:
    number = CertificateNumber.parse("苏(2024)南京市不动产证明第0100007号")
    assert number.kind is CertificateKind.PROOF
    assert str(number) == "苏(2024)南京市不动产证明第0100007号"


def test_mask_shows_the_last_three_digits() -> None:
    assert CertificateNumber.parse(PRINTED).masked() == "苏(2019)南京市不动产权第****012号"


@pytest.mark.parametrize(
    "typed", ["", "苏(2019)南京市第0000012号", "苏2019南京市不动产权第1号", "苏(2019)不动产权第1号"]
)
def test_refuses_other_shapes(typed: str) -> None:
    with pytest.raises(TermError, match="CERTIFICATE_NUMBER_INVALID"):
        CertificateNumber.parse(typed)
