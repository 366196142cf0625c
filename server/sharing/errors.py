from kit.errors import Kind, Problem


class EvidenceNotFound(Problem):
    code = "EVIDENCE_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这份共享材料；共享材料只有本人可以查看，请返回申请后刷新"
