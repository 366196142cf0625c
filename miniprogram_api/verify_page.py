"""Where a certificate's QR code leads: one page in large letters, without script, that prints on one sheet."""

from html import escape

from sanic import Blueprint, HTTPResponse

from kit.clock import date_text, time_text
from kit.web.access import public
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from server.certificates import queries
from server.certificates.queries import Verification
from server.certificates.states import verdict
from server.journeys.house import House

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    # The address carries the certificate: no other site is told it.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_LOOKS = {"valid": "good", "superseded": "bad", "cancelled": "bad"}
# No colour says anything alone, letters are 22 px and up, contrast is above 7:1.
_STYLE = """
body{margin:0;padding:16px;background:#fff;color:#111;font:22px/1.6 "PingFang SC","Noto Sans CJK SC",sans-serif}
main{max-width:640px;margin:0 auto}
h1{font-size:24px;margin:8px 0 16px}
.verdict{font-size:44px;line-height:1.3;font-weight:bold;padding:16px;border:4px solid;border-radius:8px;margin:0}
.good{color:#0b5d1e;border-color:#0b5d1e}.bad{color:#9b1c1c;border-color:#9b1c1c}.open{color:#5c3d00;border-color:#5c3d00}
dt{color:#333;margin-top:12px}dd{margin:0;font-weight:bold;overflow-wrap:anywhere}
small{font-size:20px;color:#333}
@media print{body{padding:0;font-size:14pt}.verdict{font-size:28pt}}
"""
_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{verdict} - 不动产权证书核验</title><style>{style}</style></head>
<body><main><h1>不动产权证书核验</h1>
<p class="verdict {look}">{verdict}</p>
<p>{sentence}</p>
{facts}<p><small>核验时间：{checked_at}</small></p>
</main></body></html>
"""


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The page under /v and, for readers that shout the whole link, under /V."""
    routes = Routes("verify_page", "", edge)
    access = public("whoever is shown a certificate may ask whether it is genuine")
    summary = "Is this certificate genuine, and is it valid today?"

    @routes.get("/v/<code:str>", access=access, summary=summary, media_type="text/html", rate="120/minute")
    async def verify_page(_: Call[None], code: str) -> HTTPResponse:
        return _answer(await queries.verify(house.certificates, text=code))

    @routes.get("/V/<code:str>", access=access, summary=summary, media_type="text/html", rate="120/minute")
    async def verify_page_upper(_: Call[None], code: str) -> HTTPResponse:
        return _answer(await queries.verify(house.certificates, text=code))

    return routes.blueprint


def _answer(found: Verification) -> HTTPResponse:
    return HTTPResponse(page(found), content_type="text/html; charset=utf-8", headers=_HEADERS)


def page(found: Verification) -> str:
    """The page for a verdict; the same number of letters on every phone."""
    words, sentence = verdict(found.state, genuine=found.genuine)
    look = _LOOKS.get(found.state, "open") if found.genuine else "bad"
    return _PAGE.format(
        style=_STYLE,
        verdict=escape(words),
        look=look,
        sentence=escape(sentence),
        facts=_facts(found),
        checked_at=time_text(found.checked_at),
    )


def _facts(found: Verification) -> str:
    if found.number is None or found.unit_code_masked is None or found.issued_on is None:
        return ""
    facts = (
        ("证书号", found.number),
        ("不动产单元号", found.unit_code_masked),
        ("登记日期", date_text(found.issued_on)),
    )
    lines = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return f"<dl>{lines}</dl>\n"
