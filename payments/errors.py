from kit.errors import Kind, Problem


class OrderNotFound(Problem):
    code = "ORDER_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到您的缴费单，请返回“我的申请”后刷新"


class OrderSettled(Problem):
    code = "ORDER_SETTLED"
    kind = Kind.STATE
    title = "这笔费用已经缴清，无需再次支付"


class AttemptExpired(Problem):
    code = "PAYMENT_EXPIRED"
    kind = Kind.STATE
    title = "这次支付已超时关闭，请重新点击“去缴费”"


class WalletNotOffered(Problem):
    code = "WALLET_NOT_OFFERED"
    kind = Kind.CONTENT
    title = "暂不支持这种支付方式，请换一种方式缴费"


class PayerAddressMissing(Problem):
    code = "PAYER_NOT_LINKED"
    kind = Kind.STATE
    title = "您还没有用这种支付方式的小程序登录过，请先登录，再来缴费"


class NoticeRefused(Problem):
    code = "NOTICE_REFUSED"
    kind = Kind.NO_SESSION
    title = "通知没有通过验证，请核对签名后重新发送"
