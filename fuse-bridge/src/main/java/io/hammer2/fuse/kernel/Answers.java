package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.VolumeStatistics;
import java.lang.foreign.MemorySegment;

/** Writes the fixed structures of answers; every byte of each, since what is not written would be an earlier answer's. */
final class Answers {
    private final long attributeSeconds;
    private final int attributeNanos;
    private final long entrySeconds;
    private final int entryNanos;
    private final long negativeSeconds;
    private final int negativeNanos;

    Answers(FuseMountOptions options) {
        this.attributeSeconds = options.attributeValid().toSeconds();
        this.attributeNanos = options.attributeValid().toNanosPart();
        this.entrySeconds = options.entryValid().toSeconds();
        this.entryNanos = options.entryValid().toNanosPart();
        this.negativeSeconds = options.negativeValid().toSeconds();
        this.negativeNanos = options.negativeValid().toNanosPart();
    }

    boolean remembersNegatives() {
        return (negativeSeconds | negativeNanos) != 0;
    }

    /** @return bytes written */
    int entry(MemorySegment out, long at, NodeAttributes node) {
        Wire.putLong(out, at + Wire.EntryOut.NODE, node.node());
        boolean kept = node.isCacheable();
        Wire.putLong(out, at + Wire.EntryOut.GENERATION, kept ? 0 : generation(node));
        Wire.putLong(out, at + Wire.EntryOut.ENTRY_VALID, kept ? entrySeconds : 0);
        Wire.putLong(out, at + Wire.EntryOut.ATTR_VALID, kept ? attributeSeconds : 0);
        Wire.putInt(out, at + Wire.EntryOut.ENTRY_VALID_NANOS, kept ? entryNanos : 0);
        Wire.putInt(out, at + Wire.EntryOut.ATTR_VALID_NANOS, kept ? attributeNanos : 0);
        attributes(out, at + Wire.EntryOut.ATTR, node);
        return Wire.EntryOut.BYTES;
    }

    /**
     * With its write-back cache Linux believes nobody about the size and the times of a file that it knows ({@code fuse_get_cache_mask}); of
     * another generation it is another file ({@code fuse_stale_inode}). So a file that changes behind its back, in a snapshot that is mounted
     * elsewhere, is one with each change. The kernel looks at 32 bits.
     */
    private static int generation(NodeAttributes node) {
        if ((node.mode() & NodeAttributes.TYPE_MASK) != NodeAttributes.REGULAR) {
            return 0;
        }
        int hash = Long.hashCode(node.sizeBytes());
        hash = 31 * hash + Long.hashCode(node.mtimeMicros());
        return 31 * hash + Long.hashCode(node.ctimeMicros());
    }

    /** "No such name", to be remembered. @return bytes written */
    int negativeEntry(MemorySegment out) {
        Wire.zero(out, 0, Wire.EntryOut.BYTES);
        Wire.putLong(out, Wire.EntryOut.ENTRY_VALID, negativeSeconds);
        Wire.putInt(out, Wire.EntryOut.ENTRY_VALID_NANOS, negativeNanos);
        return Wire.EntryOut.BYTES;
    }

    /** @return bytes written */
    int attributes(MemorySegment out, NodeAttributes node) {
        Wire.putLong(out, Wire.AttrOut.VALID, node.isCacheable() ? attributeSeconds : 0);
        Wire.putLong(out, Wire.AttrOut.VALID_NANOS, node.isCacheable() ? attributeNanos : 0);
        attributes(out, Wire.AttrOut.ATTR, node);
        return Wire.AttrOut.BYTES;
    }

    private static void attributes(MemorySegment out, long at, NodeAttributes node) {
        Wire.putLong(out, at + Wire.Attr.INO, node.node());
        Wire.putLong(out, at + Wire.Attr.SIZE, node.sizeBytes());
        Wire.putLong(out, at + Wire.Attr.BLOCKS, node.blocks512());
        Wire.putLong(out, at + Wire.Attr.ATIME, seconds(node.atimeMicros()));
        Wire.putLong(out, at + Wire.Attr.MTIME, seconds(node.mtimeMicros()));
        Wire.putLong(out, at + Wire.Attr.CTIME, seconds(node.ctimeMicros()));
        Wire.putInt(out, at + Wire.Attr.ATIME_NANOS, nanos(node.atimeMicros()));
        Wire.putInt(out, at + Wire.Attr.MTIME_NANOS, nanos(node.mtimeMicros()));
        Wire.putInt(out, at + Wire.Attr.CTIME_NANOS, nanos(node.ctimeMicros()));
        Wire.putInt(out, at + Wire.Attr.MODE, node.mode());
        Wire.putInt(out, at + Wire.Attr.NLINK, node.linkCount());
        Wire.putInt(out, at + Wire.Attr.UID, node.uid());
        Wire.putInt(out, at + Wire.Attr.GID, node.gid());
        Wire.putInt(out, at + Wire.Attr.RDEV, Wire.encodeDevice(node.deviceMajor(), node.deviceMinor()));
        Wire.putInt(out, at + Wire.Attr.BLOCK_SIZE, node.blockSizeBytes());
        Wire.putInt(out, at + Wire.Attr.FLAGS, 0);
    }

    /** @return bytes written */
    int statx(MemorySegment out, NodeAttributes node) {
        Wire.zero(out, 0, Wire.StatxOut.BYTES);
        Wire.putLong(out, Wire.StatxOut.VALID, node.isCacheable() ? attributeSeconds : 0);
        Wire.putInt(out, Wire.StatxOut.VALID_NANOS, node.isCacheable() ? attributeNanos : 0);
        Wire.putInt(out, Wire.StatxOut.MASK, Wire.StatxOut.MASK_ALL);
        Wire.putInt(out, Wire.StatxOut.BLOCK_SIZE, node.blockSizeBytes());
        Wire.putLong(
                out,
                Wire.StatxOut.ATTRIBUTES,
                (node.immutable() ? Wire.StatxOut.ATTRIBUTE_IMMUTABLE : 0)
                        | (node.appendOnly() ? Wire.StatxOut.ATTRIBUTE_APPEND : 0)
                        | (node.noDump() ? Wire.StatxOut.ATTRIBUTE_NODUMP : 0));
        Wire.putLong(
                out,
                Wire.StatxOut.ATTRIBUTES_MASK,
                Wire.StatxOut.ATTRIBUTE_IMMUTABLE | Wire.StatxOut.ATTRIBUTE_APPEND | Wire.StatxOut.ATTRIBUTE_NODUMP);
        Wire.putInt(out, Wire.StatxOut.NLINK, node.linkCount());
        Wire.putInt(out, Wire.StatxOut.UID, node.uid());
        Wire.putInt(out, Wire.StatxOut.GID, node.gid());
        Wire.putShort(out, Wire.StatxOut.MODE, node.mode());
        Wire.putLong(out, Wire.StatxOut.INO, node.node());
        Wire.putLong(out, Wire.StatxOut.SIZE, node.sizeBytes());
        Wire.putLong(out, Wire.StatxOut.BLOCKS, node.blocks512());
        statxTime(out, Wire.StatxOut.ATIME, node.atimeMicros());
        statxTime(out, Wire.StatxOut.BTIME, node.btimeMicros());
        statxTime(out, Wire.StatxOut.CTIME, node.ctimeMicros());
        statxTime(out, Wire.StatxOut.MTIME, node.mtimeMicros());
        Wire.putInt(out, Wire.StatxOut.RDEV_MAJOR, node.deviceMajor());
        Wire.putInt(out, Wire.StatxOut.RDEV_MINOR, node.deviceMinor());
        return Wire.StatxOut.BYTES;
    }

    private static void statxTime(MemorySegment out, long at, long micros) {
        Wire.putLong(out, at, seconds(micros));
        Wire.putLong(out, at + 8, nanos(micros));
    }

    /** @return bytes written */
    static int statfs(MemorySegment out, VolumeStatistics volume) {
        Wire.zero(out, 0, Wire.StatfsOut.BYTES);
        Wire.putLong(out, Wire.StatfsOut.BLOCKS, volume.blocks());
        Wire.putLong(out, Wire.StatfsOut.FREE, volume.blocksFree());
        Wire.putLong(out, Wire.StatfsOut.AVAILABLE, volume.blocksAvailable());
        Wire.putLong(out, Wire.StatfsOut.FILES, volume.nodes());
        Wire.putLong(out, Wire.StatfsOut.FILES_FREE, volume.nodesFree());
        Wire.putInt(out, Wire.StatfsOut.BLOCK_SIZE, volume.blockSizeBytes());
        Wire.putInt(out, Wire.StatfsOut.NAME_MAX, volume.nameBytesMax());
        Wire.putInt(out, Wire.StatfsOut.FRAGMENT_SIZE, volume.blockSizeBytes());
        return Wire.StatfsOut.BYTES;
    }

    /** Times before 1970 are seconds rounded down and a positive rest. */
    private static long seconds(long micros) {
        return Math.floorDiv(micros, 1_000_000L);
    }

    private static int nanos(long micros) {
        return (int) Math.floorMod(micros, 1_000_000L) * 1000;
    }
}
