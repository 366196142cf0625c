from kit.errors import Kind, Problem


class AskedAboutTooMany(Problem):
    """One resident had the departments asked about more people within a day than anybody deals with."""

    code = "ASKED_ABOUT_TOO_MANY"
    kind = Kind.TOO_MANY
    title = "您今天已经请有关部门查询过很多人的信息，请明天再试，或者直接上传材料"


class EvidenceNotFound(Problem):
    code = "EVIDENCE_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到这份共享材料；共享材料只有本人可以查看，请返回申请后刷新"
