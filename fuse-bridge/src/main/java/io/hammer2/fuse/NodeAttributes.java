package io.hammer2.fuse;

/**
 * What stat shows of a node: filled in by an operation, read by the transport. One object serves request after request, so
 * every operation that fills it sets every field ({@link #clear} first gives zeros).
 */
public final class NodeAttributes {
    /** File type bits of {@link #mode}. */
    public static final int TYPE_MASK = 0170000;

    public static final int FIFO = 0010000;
    public static final int CHARACTER_DEVICE = 0020000;
    public static final int DIRECTORY = 0040000;
    public static final int BLOCK_DEVICE = 0060000;
    public static final int REGULAR = 0100000;
    public static final int SYMLINK = 0120000;
    public static final int SOCKET = 0140000;

    private long node;
    private int mode;
    private int linkCount;
    private int uid;
    private int gid;
    private int deviceMajor;
    private int deviceMinor;
    private long sizeBytes;
    private long blocks512;
    private int blockSizeBytes;
    private long atimeMicros;
    private long mtimeMicros;
    private long ctimeMicros;
    private long btimeMicros;
    private boolean immutable;
    private boolean appendOnly;
    private boolean noDump;
    private boolean cacheable;

    public NodeAttributes clear() {
        this.cacheable = true;
        return node(0).mode(0)
                .linkCount(0)
                .owner(0, 0)
                .device(0, 0)
                .size(0, 0)
                .blockSizeBytes(4096)
                .times(0, 0, 0)
                .btimeMicros(0)
                .flags(false, false, false);
    }

    /** Node id, which is also the inode number shown. Never 0; the root is 1. */
    public NodeAttributes node(long id) {
        this.node = id;
        return this;
    }

    /** They, and the name by which they were found, may be others soon without a word to the kernel, which must not keep them. */
    public NodeAttributes uncached() {
        this.cacheable = false;
        return this;
    }

    public boolean isCacheable() {
        return cacheable;
    }

    /** Type and permission bits. */
    public NodeAttributes mode(int typeAndPermissions) {
        this.mode = typeAndPermissions;
        return this;
    }

    public NodeAttributes linkCount(int count) {
        this.linkCount = count;
        return this;
    }

    public NodeAttributes owner(int userId, int groupId) {
        this.uid = userId;
        this.gid = groupId;
        return this;
    }

    /** Numbers of a device node. */
    public NodeAttributes device(int major, int minor) {
        this.deviceMajor = major;
        this.deviceMinor = minor;
        return this;
    }

    /** Length in bytes, and space used in units of 512 bytes. */
    public NodeAttributes size(long bytes, long unitsOf512) {
        this.sizeBytes = bytes;
        this.blocks512 = unitsOf512;
        return this;
    }

    /** Preferred size of an I/O. */
    public NodeAttributes blockSizeBytes(int bytes) {
        this.blockSizeBytes = bytes;
        return this;
    }

    /** Microseconds since 1970. */
    public NodeAttributes times(long access, long modification, long change) {
        this.atimeMicros = access;
        this.mtimeMicros = modification;
        this.ctimeMicros = change;
        return this;
    }

    /** Time of birth, microseconds since 1970. */
    public NodeAttributes btimeMicros(long birth) {
        this.btimeMicros = birth;
        return this;
    }

    /** What statx and lsattr show beside the mode. */
    public NodeAttributes flags(boolean isImmutable, boolean isAppendOnly, boolean isNoDump) {
        this.immutable = isImmutable;
        this.appendOnly = isAppendOnly;
        this.noDump = isNoDump;
        return this;
    }

    public long node() {
        return node;
    }

    public int mode() {
        return mode;
    }

    public boolean isDirectory() {
        return (mode & TYPE_MASK) == DIRECTORY;
    }

    public int linkCount() {
        return linkCount;
    }

    public int uid() {
        return uid;
    }

    public int gid() {
        return gid;
    }

    public int deviceMajor() {
        return deviceMajor;
    }

    public int deviceMinor() {
        return deviceMinor;
    }

    public long sizeBytes() {
        return sizeBytes;
    }

    public long blocks512() {
        return blocks512;
    }

    public int blockSizeBytes() {
        return blockSizeBytes;
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

    public long btimeMicros() {
        return btimeMicros;
    }

    public boolean immutable() {
        return immutable;
    }

    public boolean appendOnly() {
        return appendOnly;
    }

    public boolean noDump() {
        return noDump;
    }
}
