import httpx
import pytest
from asn1crypto import tsp
from pyhanko.sign.signers import Signer

from server.adapters.seal import key_signer
from server.adapters.seal_keys import DemoSeal, create_demo_seal
from server.adapters.timestamps import HttpTimeStamper, LocalTimeStamper
from tests.factories.certificates import REGISTRY_NAME

DIGEST = bytes(range(32))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    return create_demo_seal(tmp_path_factory.mktemp("keys") / "seal", REGISTRY_NAME)


@pytest.fixture
def local(demo: DemoSeal):
    return LocalTimeStamper(key_signer(demo.tsa_key, demo.tsa_chain))


async def test_a_token_stamps_the_digest_it_was_asked_for(local: LocalTimeStamper):
    token = await local.async_timestamp(DIGEST, "sha256")
    info = token["content"]["encap_content_info"]["content"].parsed
    assert info["message_imprint"]["hashed_message"].native == DIGEST


def test_an_authority_needs_a_certificate():
    with pytest.raises(ValueError, match="certificate"):
        LocalTimeStamper(Signer())


async def test_over_http_the_same_token_comes_back(local: LocalTimeStamper):
    asked = []

    async def authority(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["content-type"])
        answer = await local.async_request_tsa_response(tsp.TimeStampReq.load(request.content))
        return httpx.Response(200, content=answer.dump())

    remote = HttpTimeStamper("http://tsa.test/", transport=httpx.MockTransport(authority))
    token = await remote.async_timestamp(DIGEST, "sha256")
    info = token["content"]["encap_content_info"]["content"].parsed
    assert info["message_imprint"]["hashed_message"].native == DIGEST
    assert asked == ["application/timestamp-query"]


@pytest.mark.parametrize(
    "answer", [httpx.Response(503), httpx.Response(200, content=b"<html>"), httpx.ReadTimeout("slow")]
)
async def test_no_usable_answer_is_an_oserror(answer: httpx.Response | Exception):
    def authority(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    remote = HttpTimeStamper("http://tsa.test/", transport=httpx.MockTransport(authority))
    with pytest.raises(OSError, match=r"."):
        await remote.async_timestamp(DIGEST, "sha256")
