"""The certificate is genuine and valid, offline and online; the old one is not valid any more."""

from sandbox.demo import cast, credential, paper
from sandbox.demo.scene import Scene
from sandbox.phones.handset import API
from sandbox.phones.journey import require

_LARGEST_CODE = 12


def verify(scene: Scene) -> None:
    page = paper.draw_first_page(scene.pdf)
    page.save(scene.results / "certificate-page.png", dpi=(paper.DPI, paper.DPI))
    _check_pdf(scene)
    code = paper.read_code(page)
    require(code.version <= _LARGEST_CODE, f"the QR code has version {code.version}")
    qr = (scene.results / "certificate-qr.png").read_bytes()
    require(code.text == paper.read_code_of_png(qr).text, "the page carries another code than the API")
    scene.scanned = code.text
    _check_credential(scene)
    _open_links(scene)
    _ask_for_genuineness(scene)


def _check_pdf(scene: Scene) -> None:
    missing = paper.fonts_not_embedded(scene.pdf)
    require(not missing, f"fonts are not embedded: {sorted(missing)}")
    paper.check_signature(scene.pdf, root=scene.houses.registry.root_certificate)
    paper.ask_pdfsig(scene.results / "certificate.pdf")


def _check_credential(scene: Scene) -> None:
    cose = credential.credential_of(scene.scanned)
    require(len(cose) <= credential.MAX_BYTES, f"the credential has {len(cose)} bytes")
    claims = credential.verify_offline(cose, public_key=scene.houses.registry.credential_key)
    require(credential.unit_code_of(claims) == cast.UNIT_CODE, "the credential is another unit's")
    number = scene.new_certificate["number"]
    require(credential.serial_in(claims, number), "the credential carries another number")


def _open_links(scene: Scene) -> None:
    valid = scene.passer_by.ask("open the certificate's link", "GET", scene.scanned).text
    require("有效" in valid, "the link does not say 有效")
    require("抵押" in valid and "查封" in valid, "the link says nothing of mortgage and seizure")
    over = scene.passer_by.ask("open the old certificate's link", "GET", scene.old_link).text
    require("已被" in over and "替代" in over, "the old certificate's link does not say 已被替代")


def _ask_for_genuineness(scene: Scene) -> None:
    """What the mini-program sends after `wx.scanCode`."""
    path = f"{API}/certificates/verify"
    new = scene.passer_by.post("verify the scanned text", path, {"text": scene.scanned}, expect=200)
    require(new["genuine"] and new["state"] == "valid", f"the scanned text is {new['state']}")
    require(new["number"] == scene.new_certificate["number"], "another number is verified")
    old = scene.passer_by.post("verify the old certificate's text", path, {"text": scene.old_link}, expect=200)
    require(old["genuine"] and old["state"] == "superseded", f"the old certificate is {old['state']}")
