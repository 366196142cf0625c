from kit.errors import Kind, Problem


class UnitNotFound(Problem):
    code = "UNIT_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有查到您名下的这处不动产，请按不动产权证书核对不动产单元号和证书号"


class PackageNotSentYet(Exception):
    """Nothing about an application goes up before its case package; the worker tries again later."""
