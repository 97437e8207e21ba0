"""Compares a mounted tree with one PFS of a manifest (testdata/interop): MOUNTPOINT MANIFEST LABEL. Prints what differs.

For clones of the project alone; beside the interoperability images lies a checker that says more about a difference."""
import errno, gzip, hashlib, os, re, stat, sys

root, manifest, label = os.fsencode(sys.argv[1]), sys.argv[2], sys.argv[3]
different = 0


def differs(path, what, expected, found):
    global different
    different += 1
    print("%s: %s should be %s, is %s" % (path, what, expected, found))


def unescaped(text):
    return re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())


def escaped(name):
    return "".join(chr(c) if re.match(rb"[A-Za-z0-9._/-]", bytes([c])) else "%%%02X" % c for c in name)


def digest(path, offset=0, length=None):
    sha = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        file.seek(offset)
        while length is None or length > 0:
            piece = file.read(1 << 20 if length is None else min(1 << 20, length))
            if not piece:
                break
            sha.update(piece)
            length = None if length is None else length - len(piece)
    return sha.hexdigest()


def content(path, info):
    if stat.S_ISREG(info.st_mode):
        return digest(path)
    if stat.S_ISDIR(info.st_mode):
        os.listdir(path)
    if stat.S_ISLNK(info.st_mode):
        return escaped(os.readlink(path))
    if stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode):
        return "%d:%d" % (os.major(info.st_rdev), os.minor(info.st_rdev))
    return "-"


with (gzip.open if manifest.endswith(".gz") else open)(manifest, "rt") as file:
    rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
seen, unchecked, groups = set(), [], {}
for row_label, path, kind, mode, uid, gid, nlink, size, mtime, value, group in rows:
    if row_label != label:
        continue
    full = root if path == "/" else root + unescaped(path)
    seen.add(full)
    try:
        info = os.lstat(full)
        if value == "!EIO" or value == "!ANY":
            unchecked.append(full + b"/")
            try:
                content(full, info)
                if value == "!EIO":
                    differs(path, "reading", "EIO", "good")
            except OSError as e:
                if value == "!EIO" and e.errno != errno.EIO:
                    differs(path, "reading", "EIO", e)
            continue
        found = {
            "type": {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFCHR: "c",
                     stat.S_IFBLK: "b", stat.S_IFSOCK: "s"}[stat.S_IFMT(info.st_mode)],
            "mode": "%04o" % stat.S_IMODE(info.st_mode), "uid": info.st_uid, "gid": info.st_gid, "nlink": info.st_nlink,
            "size": info.st_size, "time": info.st_mtime_ns // 1000,
        }
        expected = {"type": kind, "mode": mode, "uid": uid, "gid": gid, "nlink": nlink, "size": size,
                    "time": mtime if mtime == "-" else int(mtime) // 1000}
        for what in found:
            if expected[what] != "-" and str(expected[what]) != str(found[what]):
                differs(path, what, expected[what], found[what])
        if group != "-" and groups.setdefault(group, info.st_ino) != info.st_ino:
            differs(path, "inode", groups[group], info.st_ino)
        if value.startswith("probe:"):
            for offset, length, sha in re.findall(r"(\d+)\+(\d+)=(\w+)", value):
                if digest(full, int(offset), int(length)) != sha:
                    differs(path, "content at " + offset, sha, "another")
        elif value != "-":
            got = content(full, info)
            if got != value:
                differs(path, "value", value, got)
    except OSError as e:
        if value == "!EIO" and e.errno == errno.EIO or value == "!ANY":
            unchecked.append(full + b"/")
        else:
            differs(path, "access", "possible", e)
for folder, folders, files in os.walk(root):
    for name in folders + files:
        path = os.path.join(folder, name)
        if path not in seen and not any(path.startswith(prefix) for prefix in unchecked):
            differs(escaped(path), "existence", "no", "yes")
if not seen:
    differs("/", "manifest", "rows for " + label, "none")
sys.exit(1 if different else 0)
