package io.hammer2.fs.freemap;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.blockdev.testing.ForwardingBlockDevice;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Volumes of some TiB that are full but for their last GiB: what must not depend on their size. */
class LargeVolumeTest {
    private static final long SIZE = 2L << 40;

    /** Header copies, super-root, PFS roots, and the first block of the space map: what a mount reads whatever the size. */
    private static final int MOUNT_READS_MAX = 24;

    private final List<String> log = new ArrayList<>();

    /** A device, which it leaves open, that does not answer when the space map is read, until it may. */
    private static final class WithoutSpaceMap extends ForwardingBlockDevice {
        private final List<Runnable> held = new ArrayList<>();
        private boolean holds;
        private int reads;

        private WithoutSpaceMap(BlockDevice device, boolean holds) {
            super(device);
            this.holds = holds;
        }

        private void release() {
            holds = false;
            held.forEach(Runnable::run);
        }

        @Override
        public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
            reads++;
            long inGib = offsetBytes & (Limits.GIB - 1);
            boolean isSpaceMap = inGib >= Limits.BLOCK_BYTES_MAX && inGib < Limits.RESERVED_SEGMENT_BYTES;
            if (isSpaceMap && holds) {
                held.add(() -> base.read(offsetBytes, into, done));
            } else {
                base.read(offsetBytes, into, done);
            }
        }

        @Override
        public void close() {}
    }

    @Test
    void a_mount_reads_no_space_map_and_a_write_finds_the_only_room() throws Exception {
        byte[] content = new byte[16 * Limits.BLOCK_BYTES_MAX];
        new Random(1).nextBytes(content);
        try (MemoryBlockDevice memory = new MemoryBlockDevice(SIZE)) {
            fill(memory, SIZE);
            WithoutSpaceMap device = new WithoutSpaceMap(memory, true);
            try (Lwkt lwkt = Lwkt.stepped(2, 1);
                    Hammer2 volume = Hammer2.open(lwkt, List.of(device), options())) {
                FileSystem files = volume.mount("DATA");
                assertTrue(device.reads <= MOUNT_READS_MAX, device.reads + " reads");
                // What does not take space waits for nothing.
                assertEquals(Limits.GIB - Limits.RESERVED_SEGMENT_BYTES, free(lwkt, files));
                device.release();
                long inum = lwkt.run(1, () -> write(files, content));
                assertArrayEquals(content, lwkt.run(1, () -> read(files, inum, content.length)));
                // Had bulkfree run, which gives back what only the map says is in use, there would be more.
                assertTrue(free(lwkt, files) < Limits.GIB - Limits.RESERVED_SEGMENT_BYTES);
            }
        }
        assertEquals(List.of(), log);
    }

    @Test
    void where_the_map_is_damaged_nothing_is_written_and_the_rest_goes_on() throws Exception {
        byte[] content = new byte[3 * Limits.BLOCK_BYTES_MAX];
        long size = 12L << 30;
        try (MemoryBlockDevice device = new MemoryBlockDevice(size)) {
            fill(device, size);
            // The leaf of the third GiB, in its first slot.
            device.writeFully(
                    2 * Limits.GIB + Limits.BLOCK_BYTES_MAX + 4096, MemorySegment.ofArray(new byte[] {1, 2, 3}));
            try (Lwkt lwkt = Lwkt.stepped(2, 1);
                    Hammer2 volume = Hammer2.open(lwkt, List.of(new WithoutSpaceMap(device, false)), options())) {
                FileSystem files = volume.mount("DATA");
                long inum = lwkt.run(1, () -> write(files, content));
                assertArrayEquals(content, lwkt.run(1, () -> read(files, inum, content.length)));
            }
        }
        // Once; bulkfree, which begins by itself here, has its own to say.
        assertEquals(
                1,
                log.stream()
                        .filter(line -> line.startsWith("nothing is written to GiB 2, its space map cannot be read: "))
                        .count(),
                log.toString());
    }

    private MountOptions options() {
        return MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add);
    }

    private static long free(Lwkt lwkt, FileSystem files) throws Exception {
        return lwkt.run(0, () -> files.statfs().blocksFree() * files.statfs().blockBytes());
    }

    private static long write(FileSystem files, byte[] content) {
        MemorySegment name = MemorySegment.ofArray("file".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        long inum = files.create(FileSystem.ROOT_INUM, name, NewInode.of(FileType.REGULAR, 0600, 0, 0))
                .inum();
        files.write(inum, 0, MemorySegment.ofArray(content), 0);
        files.fsync(inum);
        return inum;
    }

    private static byte[] read(FileSystem files, long inum, int size) {
        MemorySegment into = MemorySegment.ofArray(new byte[size]);
        files.read(inum, 0, into);
        return into.toArray(ValueLayout.JAVA_BYTE);
    }

    /** Formats a device, and has its space map say that all but the last GiB is in use. */
    static void fill(BlockDevice device, long size) throws Exception {
        Random random = new Random(1);
        Newfs.format(List.of(device), NewfsOptions.defaults(0, () -> new UUID(random.nextLong(), random.nextLong())));
        VolumeHeader header = new VolumeHeader(MemorySegment.ofArray(new byte[Limits.VOLUME_HEADER_BYTES]));
        device.readFully(0, header.bytes());
        long tid = header.mirrorTid() + 1;
        try (Lwkt lwkt = Lwkt.stepped(1, 1)) {
            lwkt.run(0, () -> {
                BlockIo io = new BlockIo(lwkt.cpu(0), device, size, new PendingWrites(), 1 << 20);
                FreemapTree tree = new FreemapTree(
                        new Topology(io), BlockTable.empty(Limits.BLOCK_SET_COUNT), size, header.allocatorBeg());
                for (long gib = 0; gib < size - Limits.GIB; gib += Limits.GIB) {
                    FreemapTree.Leaf leaf = tree.leaf(gib);
                    for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
                        leaf.map().setLinear(segment, FreemapLeaf.LINEAR_FULL);
                        leaf.map().setAvailBytes(segment, 0);
                        MemorySegment entry = leaf.map().segmentAlone(segment).bytes();
                        entry.asSlice(64).fill((byte) 0xFF);
                    }
                    leaf.changed();
                }
                tree.flush(tid, (offset, bytes) -> {
                    try {
                        device.writeFully(offset, bytes);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
                for (int slot = 0; slot < tree.rootTable().entryCount(); slot++) {
                    header.freemapBlockSet().set(slot, tree.rootTable().ref(slot));
                }
                io.close();
                return null;
            });
        }
        long begun = Limits.FREEMAP_SEGMENT_BYTES; // the segment that newfs began counts as free for ever
        long free = Limits.GIB - Limits.RESERVED_SEGMENT_BYTES + begun;
        header.setTids(tid, tid);
        header.setAllocator(header.allocatorSize(), free, header.allocatorBeg());
        header.updateCrcs();
        device.writeFully(0, header.bytes());
    }
}
