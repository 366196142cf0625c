from kit.errors import Kind, Problem


class OrderNotFound(Problem):
    code = "ORDER_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到您的缴费单，请返回“我的申请”后刷新"


class OrderSettled(Problem):
    code = "ORDER_SETTLED"
    kind = Kind.STATE
    title = "这笔费用已经缴清，无需再次支付"


class OrderCalledOff(Problem):
    code = "ORDER_CALLED_OFF"
    kind = Kind.STATE
    title = "这项申请已经结束，这笔费用不用缴了。如果您刚才已经付款，钱会自动退回原账户"


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


class PaymentElsewhere(Problem):
    code = "PAYMENT_ELSEWHERE"
    kind = Kind.STATE
    title = "您在另一个钱包中的支付还没有结束，请在那里完成支付，或者过几分钟再换一种方式缴费"


class EarlierWalletDown(Problem):
    code = "EARLIER_WALLET_DOWN"
    kind = Kind.OUTSIDE_DOWN
    title = "您先前选的钱包暂时连不上，还不能换一种方式缴费。为避免重复扣款，请过几分钟再试，或者仍用原来的方式支付"


class OrderNotPaid(Problem):
    code = "ORDER_NOT_PAID"
    kind = Kind.STATE
    title = "这笔订单没有可以退的支付，请核对后再试"


class RefundTooLarge(Problem):
    code = "REFUND_TOO_LARGE"
    kind = Kind.CONTENT
    title = "退款金额超过了这笔支付还能退的金额，请核对后再试"


class RefundTooLate(Problem):
    code = "REFUND_TOO_LATE"
    kind = Kind.STATE
    title = "支付已超过一年，钱包不再原路退款，请通过银行转账退还"


class RefundTooMany(Problem):
    code = "REFUND_TOO_MANY"
    kind = Kind.STATE
    title = "这笔支付的退款次数已到钱包的上限（50次），请通过银行转账退还"


class PaymentNotHeld(Problem):
    code = "PAYMENT_NOT_HELD"
    kind = Kind.STATE
    title = "钱包中没有这笔支付的款项，不能从这里退款，请在商户平台核对后登记处理结果"


class RefundNotFound(Problem):
    code = "REFUND_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有这笔退款，请刷新后再看"


class RefundNotAwaiting(Problem):
    code = "REFUND_NOT_AWAITING"
    kind = Kind.STATE
    title = "这笔退款已经复核过，或者不需要复核，请刷新后再看"


class RefundOwn(Problem):
    code = "REFUND_OWN"
    kind = Kind.FORBIDDEN
    title = "不能复核自己发起的退款，请另一位财务人员复核"


class DiscrepancyNotFound(Problem):
    code = "DISCREPANCY_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有这条异常，请刷新后再看"


class DiscrepancyResolved(Problem):
    code = "DISCREPANCY_RESOLVED"
    kind = Kind.STATE
    title = "这条异常已经处理过，无需再次处理"


class DiscrepancyUnderWay(Problem):
    code = "DISCREPANCY_UNDER_WAY"
    kind = Kind.STATE
    title = "相关退款还在进行，退款成功后会自动处理。请先在商户平台排除原因（如充值、开通权限）"


class BillNotFound(Problem):
    code = "BILL_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有这份账单，请刷新后再看"


class BillAskedForAnyway(Problem):
    code = "BILL_ASKED_FOR_ANYWAY"
    kind = Kind.STATE
    title = "这份账单系统七天以内会自动再取、再核对，不用手工再取"


class FindingNotFound(Problem):
    code = "FINDING_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有这条差异，请刷新后再看"


class FindingResolved(Problem):
    code = "FINDING_RESOLVED"
    kind = Kind.STATE
    title = "这条差异已经处理过，无需再次处理"
