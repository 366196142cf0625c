from kit.errors import Kind, Problem


class ApplicationNotFound(Problem):
    code = "APPLICATION_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这件申请，请返回“我的申请”后刷新"


class MaterialUnknown(Problem):
    code = "MATERIAL_UNKNOWN"
    kind = Kind.ABSENT
    title = "这件申请没有这项材料，请返回材料清单重新选择"


class PartyUnknown(Problem):
    code = "PARTY_UNKNOWN"
    kind = Kind.ABSENT
    title = "这件申请没有这位当事人，请返回后重新选择"


class OpenerNotAParty(Problem):
    code = "OPENER_NOT_A_PARTY"
    kind = Kind.CONTENT
    title = "您不是这件申请的当事人，请由买方或者卖方本人发起申请"


class OwnersDiffer(Problem):
    code = "OWNERS_DIFFER"
    kind = Kind.CONTENT
    title = (
        "填写的卖方与登记簿上的权利人不一致，请按不动产权证书填写全部权利人的姓名和证件号码；按份共有的，份额也要一致"
    )


class PartiesIncomplete(Problem):
    code = "PARTIES_INCOMPLETE"
    kind = Kind.CONTENT
    title = "当事人的人数不符合这项业务的要求，请按提示增加或者减少后再试"


class PartyRepeated(Problem):
    code = "PARTY_REPEATED"
    kind = Kind.CONTENT
    title = "同一位当事人填写了两次，请删除重复的一位"


class PartyNameDiffers(Problem):
    code = "PARTY_NAME_DIFFERS"
    kind = Kind.STATE
    title = "申请书上您的姓名与实名认证的姓名不一致，请退回填写并更正后再确认"


class SharesNotWhole(Problem):
    code = "SHARES_NOT_WHOLE"
    kind = Kind.CONTENT
    title = "各人的份额加起来应当正好是全部，例如两人各占1/2，请核对后重新填写"


class PriceInvalid(Problem):
    code = "PRICE_INVALID"
    kind = Kind.CONTENT
    title = "成交价格应当大于0，请按合同填写"


class NotEditable(Problem):
    code = "NOT_EDITABLE"
    kind = Kind.STATE
    title = "申请已请各方确认或者已经提交，现在不能修改；还在等待确认或者需要补正的，可以先退回填写再修改"


class NotReopenable(Problem):
    code = "NOT_REOPENABLE"
    kind = Kind.STATE
    title = "申请现在不能退回填写，请刷新后查看办理进度"


class FileNotWhatItSays(Problem):
    code = "FILE_NOT_WHAT_IT_SAYS"
    kind = Kind.CONTENT
    title = "这个文件打不开，或者不是照片（JPG、PNG）、PDF文件，请重新拍照后上传"


class FileEmpty(Problem):
    code = "FILE_EMPTY"
    kind = Kind.CONTENT
    title = "文件是空的，请重新选择后上传"


class TooManyFiles(Problem):
    code = "TOO_MANY_FILES"
    kind = Kind.STATE
    title = "这项材料的文件数量已达上限，请先删除不需要的文件，再上传新的"


class SharedNotRemovable(Problem):
    code = "SHARED_NOT_REMOVABLE"
    kind = Kind.STATE
    title = "政府部门共享的材料不能删除；您认为内容有误的，请另外上传自己的材料，登记人员会一并查看"


class MaterialsMissing(Problem):
    code = "MATERIALS_MISSING"
    kind = Kind.CONTENT
    title = "还有必需的材料没有上传，请按提示补齐"


class InquiryIncomplete(Problem):
    code = "INQUIRY_INCOMPLETE"
    kind = Kind.CONTENT
    title = "还有询问事项没有回答好，请逐项选择后再提交"


class InquiryNotAnswered(Problem):
    code = "INQUIRY_NOT_ANSWERED"
    kind = Kind.STATE
    title = "请先回答询问事项，再确认申请"


class NotAwaitingConfirmation(Problem):
    code = "NOT_AWAITING_CONFIRMATION"
    kind = Kind.STATE
    title = "申请现在不需要您确认，请刷新后查看办理进度"


class AlreadyConfirmed(Problem):
    code = "ALREADY_CONFIRMED"
    kind = Kind.STATE
    title = "您已经确认过这件申请，无需重复确认"


class StatementChanged(Problem):
    code = "STATEMENT_CHANGED"
    kind = Kind.STATE
    title = "申请内容与您刚才看到的不一致，请刷新并重新阅读后再确认"


class SignatureInvalid(Problem):
    code = "SIGNATURE_INVALID"
    kind = Kind.CONTENT
    title = "手写签名的图片无法识别，请重新签名"


class UnitClaimed(Problem):
    """`until` says when the other claim ends by itself; `application` only to somebody who is a party of it."""

    code = "UNIT_CLAIMED"
    kind = Kind.STATE
    title = "这处不动产已有另一件登记申请正在办理，请等那件申请办结、撤回或者到期后再试"


class ConfirmationsMissing(Problem):
    code = "CONFIRMATIONS_MISSING"
    kind = Kind.STATE
    title = "还有当事人没有确认，请等各方都确认后再提交"


class AlreadySubmitted(Problem):
    code = "ALREADY_SUBMITTED"
    kind = Kind.STATE
    title = "这件申请已经提交，无需重复提交，请在进度中查看"


class NotWithdrawable(Problem):
    code = "NOT_WITHDRAWABLE"
    kind = Kind.STATE
    title = "申请已受理或者已结束，不能在手机上撤回，请联系登记机构"


class PaymentInProgress(Problem):
    code = "PAYMENT_IN_PROGRESS"
    kind = Kind.STATE
    title = "有一笔缴费正在进行，请等缴费完成或者超时关闭后再操作"


class DocumentNotReady(Problem):
    code = "DOCUMENT_NOT_READY"
    kind = Kind.ABSENT
    title = "这份凭证还没有生成，请在申请进入下一步后再查看"
