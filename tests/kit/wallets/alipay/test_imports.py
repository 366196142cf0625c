"""The SDK has more than thirty thousand modules; a process takes in those it names."""

import subprocess
import sys

MODULES = (
    "kit.wallets.alipay.client, kit.wallets.alipay.notify, server.adapters.alipay_login, server.adapters.alipay_face"
)


def test_only_what_is_used_is_imported():
    code = f"import sys, {MODULES}; print(*sorted(m for m in sys.modules if m.startswith('alipay')))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "alipay.aop.api.request.AlipaySystemOauthTokenRequest" in found
    assert "alipay.aop.api.DefaultAlipayClient" not in found
    assert len(found) < 40
