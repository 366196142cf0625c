"""Files on their way out: the browser is told what they are, and that they may do nothing."""

from sanic import HTTPResponse

_SUFFIXES = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
_UNKNOWN = "application/octet-stream"
# A page that somebody hid in a picture gets no script, no form, no frame, even where it is opened as a page.
_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


def download(body: bytes, content_type: str, *, name: str) -> HTTPResponse:
    """A file as an answer: pictures and PDF may be shown, anything else is only saved, and nothing is cached.

    `name` is an id of ours, never a text of the sender's: it becomes the file's name.
    """
    suffix = _SUFFIXES.get(content_type)
    kept = f'inline; filename="{name}.{suffix}"' if suffix else f'attachment; filename="{name}.bin"'
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY, "Content-Disposition": kept}
    return HTTPResponse(body, content_type=content_type if suffix else _UNKNOWN, headers=headers)
