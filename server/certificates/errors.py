from kit.errors import Kind, Permanent, Problem


class CertificateNotFound(Problem):
    code = "CERTIFICATE_NOT_FOUND"
    kind = Kind.ABSENT
    title = "没有找到您名下的这本证书，请返回列表刷新"


class NumberTakenError(Permanent):
    """The number belongs to another certificate already."""


class CopyRefusedError(Permanent):
    """A copy whose file or credential is not what the message says."""


class CopyNotHereYet(Exception):
    """The status of a certificate whose copy has not arrived; the worker tries again later."""


class NotMadeYet(Exception):
    """The certificate has its number but no file yet; the worker tries again later."""
