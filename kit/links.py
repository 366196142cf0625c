"""Whether a text would lead a reader to some address on the network, however it is spelled; pure."""

import re
import unicodedata

# They draw nothing of their own between two letters.
_MARKS = frozenset({"Cf", "Mn", "Me"})
_BEGINS = re.compile(r"://|https?:|www[.。]")
_FOUR_NUMBERS = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])")
_HOST = re.compile(r"(?P<label>[a-z0-9-]+|[^\W0-9a-z_])(?P<dot>[.。])(?P<top>[a-z]{2,24}|xn--[a-z0-9-]+)(?![a-z0-9_])")
_CHINESE_HOST = re.compile(r"[^\W0-9_]\.(?:中国|公司|网络|网址|政务|公益|集团|在线)(?!\w)")
# What stands behind a number in a list or behind a full stop is a word, unless it is one of these.
_KNOWN = frozenset(
    {"com", "cn", "net", "org", "gov", "edu", "top", "xyz", "vip", "cc", "info", "shop", "site", "online", "club"}
    | {"icu", "work", "link", "live", "fun", "pro", "ltd", "me", "io", "tv", "co", "hk", "tw", "cloud", "space"}
)
# Kinds of files, none of which is a top-level domain.
_FILES = frozenset({"pdf", "ofd", "jpg", "jpeg", "png", "bmp", "doc", "docx", "xls", "xlsx", "txt"})


def holds_a_link(text: str) -> bool:
    """Whether there is an address of a site, a machine or a mailbox in it, with or without its `https://`.

    In full width, in other letters of the same look to a computer, or with something unseen inside, it is the same.
    """
    kept = "".join(each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) not in _MARKS)
    plain = kept.casefold()
    if _BEGINS.search(plain) or _FOUR_NUMBERS.search(plain) or _CHINESE_HOST.search(plain):
        return True
    return any(_is_host(found) for found in _HOST.finditer(plain))


def _is_host(found: re.Match[str]) -> bool:
    if found["top"] in _FILES:
        return False
    certain = found["dot"] == "." and not found["label"].isdigit()
    return certain or found["top"] in _KNOWN
