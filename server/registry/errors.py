from kit.errors import Kind, Problem


class CaseNotFound(Problem):
    code = "CASE_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这件办件，请返回列表刷新"


class MaterialNotReadable(Problem):
    code = "MATERIAL_NOT_READABLE"
    kind = Kind.STATE
    title = "这份材料不是部门共享的信息，不能逐项显示，请直接打开文件查看"


class MaterialNotFound(Problem):
    code = "MATERIAL_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这份材料，请返回办件刷新"


class CaseStale(Problem):
    code = "CASE_STALE"
    kind = Kind.STALE
    title = "办件已被他人更新，请刷新后再办理"


class CaseStateWrong(Problem):
    code = "CASE_STATE_WRONG"
    title = "办件当前的状态不能办理这一步，请刷新后查看"


class RegisterChanged(Problem):
    code = "REGISTER_CHANGED"
    title = "登记簿记载与申请时不一致，请核对登记簿后要求补正或不予受理"


class UnitOccupied(Problem):
    code = "UNIT_OCCUPIED"
    title = "该不动产已有登记申请正在办理，请等那件申请办结后再受理"


class SharesWrong(Problem):
    code = "SHARES_WRONG"
    kind = Kind.CONTENT
    title = "受让各方的份额加起来不是全部，请要求申请人补正"


class TrackOpen(Problem):
    code = "TRACK_OPEN"
    title = "还有环节没有办完，暂不能登簿，请先办结办件中列出的环节"


class TaxNotCleared(TrackOpen):
    code = "TAX_NOT_CLEARED"
    title = "尚未收到税务部门的完税或者减免税信息，不能登簿，请等税务部门传来后再办理"


class ReviewNotPassed(TrackOpen):
    code = "REVIEW_NOT_PASSED"
    title = "审核尚未通过，不能登簿，请先办结审核"


class FeeNotSettled(TrackOpen):
    code = "FEE_NOT_SETTLED"
    title = "登记费尚未缴清，不能继续办理，请等申请人缴清后再办理"


class NoticeInvalid(Problem):
    code = "NOTICE_INVALID"
    kind = Kind.CONTENT
    title = "通知内容不能发送，请按提示修改后再发"


class CaseNotHereYet(Exception):
    """A message about a case whose package has not been recorded; the worker tries again later."""


class MaterialsNotHereYet(Exception):
    """A package whose files have not all arrived; the worker tries again later."""


class QueryReplayed(Problem):
    code = "QUERY_REPLAYED"
    kind = Kind.NO_SESSION
    title = "同一个查询请求只能用一次，请重新发起查询"
