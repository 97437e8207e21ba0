package io.hammer2.fs.volume;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.lwkt.Message;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;

/**
 * The root volume's header on the medium, and how the next one gets there; used by one thread at a time, on the volume cpu.
 *
 * <p>Rules kept: a commit writes one copy, that which follows the last one written, so that the copies are the last commits
 * and a torn write costs none of them (format sections 2.3, 13.3). Where only one copy has room, there is a valid one at every
 * moment too: a commit goes to the {@linkplain SpareCopy spare copy} first, and to its place when that is durable.
 */
public final class Headers {
    private static final int DIRECT_IO_ALIGNMENT = 4096;

    private final BlockDevice device;
    private final MemorySegment buffer = Arena.ofAuto().allocate(Limits.VOLUME_HEADER_BYTES, DIRECT_IO_ALIGNMENT);
    private VolumeHeader committed;
    private int copy;

    /** The copy in place is damaged, so the spare one, which alone is valid, must not be touched before it is replaced. */
    private boolean spareIsOnlyCopy;

    /** What each copy is of, as far as it is known, else 0: the lowest transaction there is. */
    private final long[] copyTids = new long[Limits.VOLUME_HEADER_COPIES];

    private long spareTid;

    private boolean failed;

    /** {@link VolumeHeader#extensions} of the next commit; none is ever taken away. */
    private int extensions;

    /** Sizes that the next commit has; null while they stay. */
    private Sizes growth;

    private record Sizes(long voluSize, long allocatorSize) {}

    /**
     * @param device all volumes, by logical offset
     * @param chosen what the root volume was opened by
     */
    public Headers(BlockDevice device, HeaderChoice chosen) {
        this.device = device;
        this.committed = frozen(chosen.header().bytes());
        this.extensions = committed.extensions();
        this.copy = chosen.copy();
        this.spareIsOnlyCopy = chosen.isSpare();
        if (spareIsOnlyCopy) {
            spareTid = committed.mirrorTid();
        } else {
            copyTids[copy] = committed.mirrorTid();
        }
    }

    /**
     * What moves at a commit (section 3).
     *
     * @param mirrorTid of the commit, above that of the last; also freemap_tid, since every commit is complete (section 13.4)
     * @param superRoot the reference to the super-root inode
     * @param freemap the root table of the freemap, packed, of at most four references
     * @param freeBytes allocator_free
     */
    public record Contents(long mirrorTid, BlockRef superRoot, BlockTable freemap, long freeBytes) {}

    /** The last committed header; never changes. */
    public VolumeHeader committed() {
        return committed;
    }

    /** Which copy that is, 0..3. */
    public int copy() {
        return copy;
    }

    /**
     * Makes zero the places of copies that a volume of so many bytes has and the present one has not, so that nothing old is ever found
     * there; returns when that is durable. Blocks the thread.
     */
    public void clearPlaces(long newVoluSize) throws IOException {
        MemorySegment zeros = Arena.ofAuto().allocate(Limits.VOLUME_HEADER_BYTES, DIRECT_IO_ALIGNMENT);
        for (int i = 1; i < Limits.VOLUME_HEADER_COPIES; i++) {
            long place = VolumeHeader.copyOffset(i);
            if (place >= committed.voluSize() && place + Limits.VOLUME_HEADER_BYTES <= newVoluSize) {
                await(done -> device.write(place, zeros, done));
            }
        }
        await(device::flush);
    }

    /**
     * Lets the next commit be of a larger volume, the only one of its file system.
     *
     * @param voluSize in bytes
     * @param allocatorSize of that
     */
    public void grow(long voluSize, long allocatorSize) {
        growth = new Sizes(voluSize, allocatorSize);
    }

    /** Lets the next commit, and what is written for it, make use of an extension: one of {@link VolumeHeader}'s. */
    public void allow(int extension) {
        extensions |= extension;
    }

    /** What the next commit may make use of, a mask. */
    public int extensions() {
        return extensions;
    }

    /** The lowest transaction that a copy on the medium may be of: nothing that only earlier ones refer to is ever needed. */
    public long oldestTid() {
        long oldest = SpareCopy.isFor(committed) ? spareTid : committed.mirrorTid();
        for (int i = 0; i < committed.copyCount(); i++) {
            oldest = Long.compareUnsigned(copyTids[i], oldest) < 0 ? copyTids[i] : oldest;
        }
        return oldest;
    }

    /**
     * Writes the header of a commit, of which everything that it refers to is durable, and returns when it is durable too. Blocks
     * the thread.
     *
     * @throws IOException when a device fails; whether the commit is on the medium is then unknown, so there can be no other
     */
    public void commit(Contents contents) throws IOException {
        if (failed) {
            throw new IOException(device.name() + ": no commit after one that failed");
        }
        if (Long.compareUnsigned(contents.mirrorTid, committed.mirrorTid()) <= 0) {
            throw new IllegalArgumentException("commit " + Long.toUnsignedString(contents.mirrorTid) + " after "
                    + Long.toUnsignedString(committed.mirrorTid()));
        }
        fill(contents);
        VolumeHeader next = frozen(buffer);
        int nextCopy = (copy + 1) % next.copyCount();
        failed = true;
        if (SpareCopy.isFor(next) && !spareIsOnlyCopy) {
            write(next.auxBeg());
            spareTid = contents.mirrorTid;
        }
        write(VolumeHeader.copyOffset(nextCopy));
        failed = false;
        spareIsOnlyCopy = false;
        committed = next;
        copy = nextCopy;
        copyTids[copy] = contents.mirrorTid;
        growth = null;
    }

    private void fill(Contents contents) {
        buffer.copyFrom(committed.bytes());
        VolumeHeader header = new VolumeHeader(buffer);
        header.superRootBlockSet().set(0, contents.superRoot);
        BlockTable freemap = header.freemapBlockSet();
        for (int slot = 0; slot < freemap.slotCount(); slot++) {
            if (slot < contents.freemap.entryCount()) {
                freemap.set(slot, contents.freemap.ref(slot));
            } else {
                freemap.clear(slot);
            }
        }
        header.setTids(contents.mirrorTid, contents.mirrorTid);
        long allocatorSize = growth == null ? header.allocatorSize() : growth.allocatorSize;
        header.setAllocator(allocatorSize, contents.freeBytes, header.allocatorBeg());
        if (growth != null) {
            header.setOnlyVolumeSize(growth.voluSize);
        }
        header.setExtensions(extensions);
        header.updateCrcs();
    }

    private void write(long offset) throws IOException {
        await(done -> device.write(offset, buffer, done));
        await(device::flush);
    }

    private static void await(Consumer<IoCompletion> request) throws IOException {
        Message<IOException> ended = new Message<>();
        request.accept(ended::reply);
        IOException error = ended.await();
        if (error != null) {
            throw error;
        }
    }

    private static VolumeHeader frozen(MemorySegment bytes) {
        return new VolumeHeader(
                MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE)).asReadOnly());
    }
}
