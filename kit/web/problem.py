"""Every failure as an RFC 9457 problem document with a stable code and a Chinese sentence."""

from typing import Any

import orjson
from sanic import HTTPResponse, Request
from sanic.exceptions import BadRequest, MethodNotAllowed, PayloadTooLarge, RequestTimeout, SanicException
from sanic.exceptions import NotFound as SanicNotFound
from sanic.handlers import ErrorHandler

from kit.errors import FieldError, Kind, OutsideError, Problem
from kit.log import current_request_id, get_logger
from kit.web import errors

log = get_logger("web")
CLIENT_GONE = 499
"""Not in the registry of HTTP; the number that nginx writes for the same thing."""


class Internal(Problem):
    """Something of ours is broken; the status is 500, outside the kinds a caller can act on."""

    code = "INTERNAL"
    title = "系统出了问题，您已保存的内容不会丢失，请过一会儿再试"


def document(problem: Problem, *, status: int) -> dict[str, Any]:
    """The members of the problem document."""
    body: dict[str, Any] = {
        **problem.extra,
        "type": f"urn:yichuang:problem:{problem.code.lower()}",
        "title": problem.title,
        "status": status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": current_request_id(),
    }
    if problem.errors:
        body["errors"] = [
            {"field": error.field, "code": error.code, "message": error.message} for error in problem.errors
        ]
    return body


def response(problem: Problem) -> HTTPResponse:
    """The problem as an HTTP answer."""
    status = 500 if isinstance(problem, Internal) else problem.kind.value
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after is not None or problem.kind in {Kind.OUTSIDE_DOWN, Kind.OUTSIDE_SLOW}:
        headers["Retry-After"] = str(problem.retry_after or 30)
    return HTTPResponse(
        orjson.dumps(document(problem, status=status)),
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )


def translate(error: Exception) -> Problem:
    """What a caller is told about any exception; the unknown is logged and becomes INTERNAL."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, OutsideError):
        return _outside(error)
    if isinstance(error, SanicNotFound | MethodNotAllowed):
        return errors.NotFound()
    if isinstance(error, PayloadTooLarge):
        return errors.BodyTooLarge()
    if isinstance(error, BadRequest | RequestTimeout):
        return errors.NotReadable()
    if isinstance(error, SanicException) and error.status_code < 500:  # noqa: PLR2004 - HTTP's own boundary
        return errors.NotReadable()
    code, sentence = getattr(error, "code", None), getattr(error, "sentence", None)
    if isinstance(error, ValueError) and isinstance(code, str) and isinstance(sentence, str):
        return errors.InvalidContent(sentence, errors=[FieldError("$", code, sentence)])
    log.error("request_failed", exc_info=error)
    return Internal()


def _outside(error: OutsideError) -> Problem:
    log.warning("outside_failed", system=error.system, error_code=error.code, permanent=error.permanent)
    extra = {"system": error.system, "outside_code": error.code}
    if error.permanent:
        return errors.OutsideRefused(extra=extra)
    if error.code == "TIMEOUT":
        return errors.OutsideTooSlow(extra=extra)
    return errors.OutsideUnavailable(extra=extra)


class ProblemHandler(ErrorHandler):
    """Sanic's one error handler; it never shows a traceback or an input."""

    def default(self, request: Request, exception: BaseException) -> HTTPResponse:
        stream: Any = request.stream
        if stream is not None and stream.request_body:
            # The rest of an upload is on its way: Sanic drops the connection then, so the answer has to say so.
            stream.keep_alive = False
        if isinstance(exception, Exception):
            return response(translate(exception))
        # The phone has hung up and the handler was cancelled: nobody reads this, and nothing of ours is broken.
        return HTTPResponse(status=CLIENT_GONE)

    @staticmethod
    def log(request: Request, exception: Exception) -> None:
        """Say nothing here: Sanic would print the input; `translate` logs what is ours to mend."""
