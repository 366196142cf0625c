"""What can be wrong with a file that somebody brings."""

from kit.errors import Kind, Problem


class FileTooLarge(Problem):
    """More bytes than allowed; raised while streaming, as soon as the limit is passed."""

    code = "FILE_TOO_LARGE"
    kind = Kind.TOO_LARGE
    title = "文件太大，没有传上去，请换一个小一点的文件，或者重新拍照后上传"


class FileDamaged(Exception):
    """A stored file does not open: changed, cut short, its key missing, or another file's content."""
