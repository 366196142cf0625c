from kit.errors import Kind, Problem


class MessageNotFound(Problem):
    code = "MESSAGE_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这条消息，请返回消息列表刷新"


class TemplateUnknown(Problem):
    code = "TEMPLATE_UNKNOWN"
    kind = Kind.CONTENT
    title = "没有这种消息提醒，请关闭小程序、重新打开后再试"


class TemplateInvalid(Problem):
    code = "TEMPLATE_INVALID"
    kind = Kind.CONTENT
    title = "消息模板不符合要求，请按列出的各项修改后再保存"
