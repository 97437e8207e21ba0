package io.hammer2.fs.freemap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.Errno;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapLeaf.Granule;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.fs.volume.HeaderChoice;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** A volume that is full to its end, as another implementation may leave it: bulkfree cannot help, and still things are removed. */
class EmergencyModeTest {
    private static final long SIZE = 64L << 20;

    /** Less than what is kept for commits ordinarily, and enough for a removal. */
    private static final int GRANULES_LEFT = 20;

    private static final long ROOT = FileSystem.ROOT_INUM;

    private final List<String> log = new ArrayList<>();

    @FunctionalInterface
    private interface Body {
        void run(Lwkt lwkt, FileSystem files) throws Exception;
    }

    private void mounted(BlockDevice device, Body body) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(2, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        List.of(new Borrowed(device)),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add))) {
            body.run(lwkt, volume.mount("DATA"));
        }
    }

    @Test
    void removing_goes_on_where_it_could_not_and_nothing_else_does() throws Exception {
        Random random = new Random(1);
        try (MemoryBlockDevice device = new MemoryBlockDevice(SIZE)) {
            Newfs.format(
                    List.of(device), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
            mounted(
                    device,
                    (lwkt, files) -> lwkt.run(1, () -> {
                        for (int i = 0; i < 6; i++) {
                            create(files, "f" + i, 1 << 20);
                        }
                        return null;
                    }));
            // With damage bulkfree frees nothing, so what the space map says is in use stays so.
            damage(device);
            leaveGranules(device, GRANULES_LEFT);
            mounted(device, (lwkt, files) -> {
                refused(lwkt, () -> files.unlink(ROOT, name("f0")));
                on(lwkt, () -> files.setEmergencyMode(true));
                assertEquals(0, lwkt.run(1, () -> files.statfs().blocksAvailable()));
                on(lwkt, () -> files.unlink(ROOT, name("f0")));
                refused(lwkt, () -> create(files, "new", 1));
                on(lwkt, files::sync);
                on(lwkt, () -> files.setEmergencyMode(false));
                refused(lwkt, () -> files.unlink(ROOT, name("f1")));
            });
            mounted(
                    device,
                    (lwkt, files) -> on(lwkt, () -> {
                        assertNull(files.lookup(ROOT, name("f0")));
                        assertNotNull(files.lookup(ROOT, name("f1")));
                    }));
        }
        assertTrue(log.stream().anyMatch(line -> line.startsWith("emergency mode: ")), log.toString());
        assertTrue(log.stream().noneMatch(line -> line.startsWith("commit failed")), log.toString());
    }

    private static void on(Lwkt lwkt, Runnable operation) throws Exception {
        lwkt.run(1, () -> {
            operation.run();
            return null;
        });
    }

    private static void refused(Lwkt lwkt, Runnable operation) {
        Executable tried = () -> on(lwkt, operation);
        assertEquals(Errno.ENOSPC, assertThrows(FsException.class, tried).errno());
    }

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void create(FileSystem files, String name, int size) {
        long inum = files.create(ROOT, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                .inum();
        byte[] content = new byte[size];
        new Random(size).nextBytes(content);
        files.write(inum, 0, MemorySegment.ofArray(content), 0);
    }

    private interface OnTopology {
        void run(Topology topology, VolumeHeader header) throws Exception;
    }

    private static void looking(BlockDevice device, OnTopology body) throws Exception {
        VolumeHeader header = HeaderChoice.of(device).header();
        try (Lwkt lwkt = Lwkt.stepped(1, 1)) {
            lwkt.run(0, () -> {
                try (BlockIo io = new BlockIo(lwkt.cpu(0), device, SIZE, new PendingWrites(), 1 << 20)) {
                    body.run(new Topology(io), header);
                }
                return null;
            });
        }
    }

    /** Spoils an indirect block of the last file. */
    private static void damage(BlockDevice device) throws Exception {
        looking(device, (topology, header) -> {
            BlockRef[] found = new BlockRef[1];
            BlockWalk.Visitor visitor = new BlockWalk.Visitor() {
                private int level;

                @Override
                public boolean visit(BlockTable table, int slot) {
                    if (level == 3 && table.type(slot) == BlockType.INDIRECT) {
                        found[0] = table.ref(slot);
                    }
                    return true;
                }

                @Override
                public void enterInode(BlockTable table, int slot, int inodeLevel) {
                    level = inodeLevel + 1;
                }

                @Override
                public void leaveInode(int inodeLevel) {
                    level = inodeLevel;
                }

                @Override
                public void unreadable(CorruptBlockException damage) {
                    throw damage;
                }

                @Override
                public void unreadable(DeviceErrorException failure) {
                    throw failure;
                }
            };
            new BlockWalk(topology.io(), visitor, 1 << 20)
                    .below(header.superRootBlockSet().copyValidated(SIZE), 0);
            device.writeFully(found[0].offsetBytes() + 100, MemorySegment.ofArray(new byte[] {1, 2, 3}));
        });
    }

    /** Has the space map say that all but so much is in use. */
    private static void leaveGranules(BlockDevice device, int count) throws Exception {
        looking(device, (topology, header) -> {
            FreemapTree tree = new FreemapTree(
                    topology, header.freemapBlockSet().copyValidated(SIZE), SIZE, header.allocatorBeg());
            FreemapTree.Leaf leaf = tree.leaf(0);
            int left = count;
            for (int segment = FreemapLeaf.SEGMENT_COUNT - 1; segment >= 0; segment--) {
                int free = 0;
                for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                    boolean isFree = leaf.map().granule(segment, granule) == Granule.FREE;
                    if (isFree && left > 0) {
                        left--;
                        free++;
                    } else {
                        leaf.map().setGranule(segment, granule, Granule.ALLOCATED);
                    }
                }
                leaf.map().setAvailBytes(segment, free * Limits.FREEMAP_GRANULE_BYTES);
                leaf.map().setLinear(segment, FreemapLeaf.LINEAR_FULL);
            }
            leaf.changed();
            long tid = header.mirrorTid() + 1;
            tree.flush(tid, (offset, bytes) -> {
                try {
                    device.writeFully(offset, bytes);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            VolumeHeader next = new VolumeHeader(
                    MemorySegment.ofArray(header.bytes().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)));
            next.freemapBlockSet().set(0, tree.rootTable().ref(0));
            long first = (header.allocatorBeg() + Limits.FREEMAP_SEGMENT_BYTES - 1) & -Limits.FREEMAP_SEGMENT_BYTES;
            long never = header.allocatorSize() - Freemap.managedBytes(SIZE, first);
            next.setTids(tid, tid);
            next.setAllocator(
                    header.allocatorSize(), never + (long) count * Limits.FREEMAP_GRANULE_BYTES, header.allocatorBeg());
            next.updateCrcs();
            device.writeFully(0, next.bytes());
        });
    }
}
