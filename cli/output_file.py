"""Write a file whole or not at all."""

from pathlib import Path

from cli.errors import Conflict, NotFound


def write_file(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write a file. It has its name once all of it is there.

    Raises:
        Conflict: there is such a file, and `force` is false.
        NotFound: there is no such folder.
        OSError: the disk is full, for example. Nothing is left.
    """
    if path.is_dir():
        raise Conflict(f"{path} is a folder: name a file.")
    if not force and (path.exists() or path.is_symlink()):
        raise Conflict(f"{path} exists: --force replaces it.")
    if not path.parent.is_dir():
        raise NotFound(f"{path.parent}: there is no such folder.")
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
