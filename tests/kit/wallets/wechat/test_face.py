from kit.wallets.wechat.face import IDENTITY_CARD, cert_hash


def test_the_documents_example() -> None:
    expected = "3c241f7ff324977aeb91f173bb2a7b06569e6fd784d5573db34a636d8671108b"
    assert cert_hash(IDENTITY_CARD, "张三", "310101199801011234") == expected
    assert cert_hash(IDENTITY_CARD, "张三", "310101199801011235") != expected
