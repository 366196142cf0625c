from kit.errors import Kind, Problem


class IdempotencyKeyMissing(Problem):
    code = "IDEMPOTENCY_KEY_MISSING"
    kind = Kind.UNREADABLE
    title = "这次操作没有完成，请关闭小程序、重新打开后再试"


class IdempotencyKeyReused(Problem):
    code = "IDEMPOTENCY_KEY_REUSED"
    kind = Kind.CONTENT
    title = "这次操作与刚才的内容不一样，没有完成，请返回上一页重新操作"


class StillRunning(Problem):
    code = "STILL_RUNNING"
    kind = Kind.STATE
    title = "上一次操作还在处理中，请稍候几秒再试"
