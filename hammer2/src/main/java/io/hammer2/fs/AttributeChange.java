package io.hammer2.fs;

/**
 * What setattr changes of an inode; reusable. Unless {@link #ctimeMicros} says otherwise, the time of the change is that of the
 * operation.
 */
public final class AttributeChange {
    private static final int MODE = 1;
    private static final int UID = 1 << 1;
    private static final int GID = 1 << 2;
    private static final int SIZE = 1 << 3;
    private static final int ATIME = 1 << 4;
    private static final int MTIME = 1 << 5;
    private static final int CTIME = 1 << 6;
    private static final int UFLAGS = 1 << 7;
    private static final int DROP_SETID = 1 << 8;
    private static final int TOUCH = 1 << 9;

    private int set;
    private int mode;
    private int uid;
    private int gid;
    private long size;
    private long atimeMicros;
    private long mtimeMicros;
    private long ctimeMicros;
    private int uflags;

    /** Nothing is changed. */
    public AttributeChange clear() {
        set = 0;
        return this;
    }

    public boolean isEmpty() {
        return set == 0;
    }

    /** Whether it is what a kernel that caches writes sends after them: both times, and nothing else. */
    public boolean isTimesOfWrites() {
        return set == (MTIME | CTIME);
    }

    /** Its times are those of now and nobody chose them: utimensat(2) without times, as touch(1) calls it. */
    public AttributeChange touch() {
        set |= TOUCH;
        return this;
    }

    /** Whether it is a {@link #touch} and nothing else, which Linux allows on what is append-only. */
    public boolean isTouch() {
        return (set & TOUCH) != 0 && (set & ~(TOUCH | ATIME | MTIME | CTIME)) == 0;
    }

    /** @param value permission bits 07777 */
    public AttributeChange mode(int value) {
        mode = value;
        set |= MODE;
        return this;
    }

    public AttributeChange uid(int value) {
        uid = value;
        set |= UID;
        return this;
    }

    public AttributeChange gid(int value) {
        gid = value;
        set |= GID;
        return this;
    }

    /** @param value bytes; a file becomes shorter, or longer by zeros */
    public AttributeChange size(long value) {
        size = value;
        set |= SIZE;
        return this;
    }

    /** @param value microseconds since 1970; the media have none before: a negative one becomes 0 */
    public AttributeChange atimeMicros(long value) {
        atimeMicros = Math.max(0, value);
        set |= ATIME;
        return this;
    }

    /** @param value as of {@link #atimeMicros(long)} */
    public AttributeChange mtimeMicros(long value) {
        mtimeMicros = Math.max(0, value);
        set |= MTIME;
        return this;
    }

    /** @param value as of {@link #atimeMicros(long)} */
    public AttributeChange ctimeMicros(long value) {
        ctimeMicros = Math.max(0, value);
        set |= CTIME;
        return this;
    }

    /** @param value chflags(2) bits, BSD values */
    public AttributeChange uflags(int value) {
        uflags = value;
        set |= UFLAGS;
        return this;
    }

    /** The setuid bit goes, and the setgid bit of what may be executed by its group. */
    public AttributeChange dropSetId() {
        set |= DROP_SETID;
        return this;
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

    public boolean hasUflags() {
        return (set & UFLAGS) != 0;
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

    public int uflags() {
        return uflags;
    }
}
