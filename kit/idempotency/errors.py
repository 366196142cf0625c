from kit.errors import Kind, Problem


class IdempotencyKeyMissing(Problem):
    code = "IDEMPOTENCY_KEY_MISSING"
    kind = Kind.UNREADABLE
    title = "请求缺少幂等键，请更新小程序后重试"


class IdempotencyKeyReused(Problem):
    code = "IDEMPOTENCY_KEY_REUSED"
    kind = Kind.CONTENT
    title = "同一操作编号已用于另一项内容，请返回后重新操作"


class StillRunning(Problem):
    code = "STILL_RUNNING"
    kind = Kind.STATE
    title = "上一次操作还在处理中，请稍候几秒再试"
