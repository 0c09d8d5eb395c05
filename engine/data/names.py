"""Names of files and folders, as found in archives and on disks of all origins."""

import unicodedata

IGNORED = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})  # left by systems, not by users
MOST_BYTES = 255  # of one part of a path, as file systems have it


def read(names: list[bytes]) -> tuple[list[str], str]:
    """The names as text, and their encoding, judged over all of them together: UTF-8, else CP949, else CP437.

    Korean Windows writes CP949 into zips without saying so. Nearly any bytes pass as CP949, so it is believed only
    where most of what it gives are syllables in everyday use (those that EUC-KR has too).
    """
    for encoding in ("utf-8", "cp949"):
        try:
            texts = [name.decode(encoding) for name in names]
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8" or _is_everyday_korean("".join(texts)):
            return texts, encoding
    return [name.decode("cp437") for name in names], "cp437"


def normal(path: str) -> str:
    """The path with composed letters (NFC) and without empty or "." parts, so that equal names are equal text."""
    return "/".join(part for part in unicodedata.normalize("NFC", path).split("/") if part not in ("", "."))


def is_hidden(path: str) -> bool:
    """A part of it begins with a dot, or is a system's own litter."""
    return any(part.startswith(".") or part.casefold() in IGNORED for part in path.split("/"))


def shown(name: str) -> str:
    """A name in quotes for a sentence: short, and inert whatever it holds."""
    return repr(name if len(name) <= 80 else f"{name[:77]}...")


def listed(names: list[str]) -> str:
    """Names in quotes for a sentence, the first ten of many."""
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return ", ".join(map(shown, names[:10])) + more


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _is_everyday_korean(text: str) -> bool:
    letters = [letter for letter in text if not letter.isascii()]
    return 2 * sum(_in_euc_kr(letter) for letter in letters) >= len(letters)


def _in_euc_kr(letter: str) -> bool:
    try:
        return len(letter.encode("euc_kr")) == 2  # rarer syllables are spelt out in eight bytes
    except UnicodeEncodeError:
        return False
