package io.hammer2.fuse;

/**
 * What setattr is to change: filled in by a transport, read by the operation, reused. What is not set stays; a getter of it
 * tells nothing.
 */
public final class NodeChange {
    private static final int MODE = 1;
    private static final int UID = 1 << 1;
    private static final int GID = 1 << 2;
    private static final int SIZE = 1 << 3;
    private static final int ATIME = 1 << 4;
    private static final int ATIME_NOW = 1 << 5;
    private static final int MTIME = 1 << 6;
    private static final int MTIME_NOW = 1 << 7;
    private static final int CTIME = 1 << 8;
    private static final int DROP_SETID = 1 << 9;

    private int set;
    private int mode;
    private int uid;
    private int gid;
    private long size;
    private long atimeMicros;
    private long mtimeMicros;
    private long ctimeMicros;

    public NodeChange clear() {
        set = 0;
        return this;
    }

    /** @param permissions bits 07777 */
    public NodeChange mode(int permissions) {
        mode = permissions;
        set |= MODE;
        return this;
    }

    public NodeChange uid(int value) {
        uid = value;
        set |= UID;
        return this;
    }

    public NodeChange gid(int value) {
        gid = value;
        set |= GID;
        return this;
    }

    /** @param bytes of a file, which becomes shorter, or longer by zeros; not negative */
    public NodeChange size(long bytes) {
        size = bytes;
        set |= SIZE;
        return this;
    }

    public NodeChange atimeMicros(long value) {
        atimeMicros = value;
        set |= ATIME;
        return this;
    }

    public NodeChange mtimeMicros(long value) {
        mtimeMicros = value;
        set |= MTIME;
        return this;
    }

    /** Instead of the time of the operation: a kernel that caches writes knows better when they were. */
    public NodeChange ctimeMicros(long value) {
        ctimeMicros = value;
        set |= CTIME;
        return this;
    }

    /** To the time of the operation. */
    public NodeChange atimeNow() {
        set |= ATIME_NOW;
        return this;
    }

    /** To the time of the operation. */
    public NodeChange mtimeNow() {
        set |= MTIME_NOW;
        return this;
    }

    /** The setuid bit goes, and the setgid bit of what its group may execute. */
    public NodeChange dropSetId() {
        set |= DROP_SETID;
        return this;
    }

    public boolean isEmpty() {
        return set == 0;
    }

    public boolean hasMode() {
        return (set & MODE) != 0;
    }

    public boolean hasUid() {
        return (set & UID) != 0;
    }

    public boolean hasGid() {
        return (set & GID) != 0;
    }

    public boolean hasSize() {
        return (set & SIZE) != 0;
    }

    public boolean hasAtime() {
        return (set & ATIME) != 0;
    }

    public boolean hasMtime() {
        return (set & MTIME) != 0;
    }

    public boolean hasCtime() {
        return (set & CTIME) != 0;
    }

    public boolean isAtimeNow() {
        return (set & ATIME_NOW) != 0;
    }

    /** Whether both times are given, and are the same. */
    public boolean mtimeIsCtime() {
        return hasMtime() && hasCtime() && mtimeMicros == ctimeMicros;
    }

    public boolean isMtimeNow() {
        return (set & MTIME_NOW) != 0;
    }

    public boolean dropsSetId() {
        return (set & DROP_SETID) != 0;
    }

    public int mode() {
        return mode;
    }

    public int uid() {
        return uid;
    }

    public int gid() {
        return gid;
    }

    public long size() {
        return size;
    }

    public long atimeMicros() {
        return atimeMicros;
    }

    public long mtimeMicros() {
        return mtimeMicros;
    }

    public long ctimeMicros() {
        return ctimeMicros;
    }
}
