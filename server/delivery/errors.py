from kit.errors import Kind, Problem


class DeliveryNotFound(Problem):
    code = "DELIVERY_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这份邮寄申请，请返回列表刷新"


class DeliveryOpen(Problem):
    code = "DELIVERY_OPEN"
    kind = Kind.STATE
    title = "这本证书已经申请过邮寄，请在“我的邮寄”中查看"


class DeliveryStateWrong(Problem):
    code = "DELIVERY_STATE_WRONG"
    kind = Kind.STATE
    title = "这份邮寄现在不能这样办理，请刷新后查看它的状态"


class CertificateNotValid(Problem):
    code = "CERTIFICATE_NOT_VALID"
    kind = Kind.STATE
    title = "这本证书已经不是有效证书，不能邮寄"


class PaperWithHolder(Problem):
    code = "PAPER_WITH_HOLDER"
    kind = Kind.STATE
    title = "这本证书的纸质证书已经领取，不能再邮寄；如果已经遗失，请到登记机构申请补发"


class ReceiverNotHolder(Problem):
    code = "RECEIVER_NOT_HOLDER"
    kind = Kind.CONTENT
    title = "收件人要填写您本人，签收时会核对身份证件；不方便本人签收的，请到登记机构窗口领取"


class OldCertificateNotRecalled(Problem):
    code = "OLD_CERTIFICATE_NOT_RECALLED"
    kind = Kind.STATE
    title = "原纸质证书还没有收回，请先收回，再寄出新证书"


class WaybillUsed(Problem):
    code = "WAYBILL_USED"
    kind = Kind.STATE
    title = "这个运单号已经用于另一份邮寄，请核对面单"


class CarrierNotOffered(Problem):
    code = "CARRIER_NOT_OFFERED"
    kind = Kind.CONTENT
    title = "没有接通这家快递公司，请选择其他快递"
