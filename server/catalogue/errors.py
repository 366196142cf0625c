from kit.errors import Kind, Problem


class BusinessUnknown(Problem):
    code = "BUSINESS_UNKNOWN"
    kind = Kind.CONTENT
    title = "这项业务目前不能在手机上办理，请返回业务列表重新选择，或到登记大厅咨询"
