package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.freemap.HeaderReach;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.sweep.Deduplication;
import io.hammer2.fs.sweep.MountedFiles;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files that share blocks, by copied ranges and by deduplication of both kinds, lose owners in random order while bulkfree runs: whatever one of the
 * four headers leads to keeps its place and its content.
 */
class SharedBlocksTest {
    private static final long ROOT = FileSystem.ROOT_INUM;

    /** Room for all four copies of the header. */
    private static final long VOLUME_BYTES = (6L << 30) + (16L << 20);

    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;
    private static final int OPERATIONS = 220;
    private static final int FILES_MAX = 14;

    /** So few contents that most are there more than once. */
    private static final int CONTENTS = 9;

    private static final long HOUR_NANOS = 3_600_000_000_000L;

    @FunctionalInterface
    private interface Change {
        void make() throws Exception;
    }

    private static final class Life implements AutoCloseable {
        private final Random random;
        private final long seed;
        private final MemoryBlockDevice device;
        private final List<String> log = new ArrayList<>();
        private final Map<String, byte[]> model = new TreeMap<>();

        /** What each transaction committed. */
        private final Map<Long, Map<String, byte[]>> committed = new HashMap<>();

        /** Of a transaction that came in the middle of a change: {@link #committed} before it, and this after it. */
        private final Map<Long, Map<String, byte[]>> committedOr = new HashMap<>();

        /** Open, without names. */
        private final Map<Long, byte[]> nameless = new HashMap<>();

        private Lwkt lwkt;
        private Hammer2 volume;
        private FileSystem files;
        private int names;
        private long freed;
        private long shared;

        private Life(long seed) throws Exception {
            this.seed = seed;
            this.random = new Random(seed);
            this.device = new MemoryBlockDevice(VOLUME_BYTES);
            Newfs.format(
                    List.of(device), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
            mount();
            committed.put(tid(), Map.of());
        }

        private void mount() throws Exception {
            lwkt = Lwkt.stepped(2, seed);
            volume = Hammer2.open(
                    lwkt,
                    List.of(new Borrowed(device)),
                    MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add)
                            .withSyncIntervalNanos(HOUR_NANOS)
                            .withDedup(seed % 2 == 0));
            files = volume.mount("DATA");
        }

        private void unmount() throws Exception {
            for (long inum : nameless.keySet()) {
                on(() -> {
                    files.release(inum);
                    return null;
                });
            }
            nameless.clear();
            noting(() -> {
                volume.close();
                return null;
            });
            lwkt.close();
        }

        private long tid() throws Exception {
            return HeaderReach.headers(device).stream()
                    .mapToLong(VolumeHeader::mirrorTid)
                    .max()
                    .orElseThrow();
        }

        /** None of what may commit changes what there is, so all its transactions are of the same state. */
        private <T> T noting(Callable<T> body) throws Exception {
            long before = tid();
            T result = body.call();
            Map<String, byte[]> state = new TreeMap<>(model);
            for (long tid = before + 1; tid <= tid(); tid++) {
                committed.put(tid, state);
            }
            return result;
        }

        /** As {@link #noting}, of a change in which a commit may come of itself: while the free space is being counted, for one. */
        private void change(Change change) throws Exception {
            long before = tid();
            Map<String, byte[]> old = new TreeMap<>(model);
            change.make();
            Map<String, byte[]> changed = new TreeMap<>(model);
            for (long tid = before + 1; tid <= tid(); tid++) {
                if (!committed.containsKey(tid)) {
                    committed.put(tid, old);
                    committedOr.put(tid, changed);
                }
            }
        }

        private <T> T on(Callable<T> body) throws Exception {
            return lwkt.run(random.nextInt(2), body);
        }

        private void operate() throws Exception {
            int choice = random.nextInt(100);
            if (model.isEmpty() || choice < 16) {
                create();
            } else if (choice < 36) {
                copy();
            } else if (choice < 46) {
                overwrite();
            } else if (choice < 64 || model.size() > FILES_MAX) {
                delete();
            } else if (choice < 70) {
                release();
            } else if (choice < 80) {
                noting(() -> on(() -> {
                    files.sync();
                    return null;
                }));
            } else if (choice < 88) {
                deduplicate();
            } else if (choice < 96) {
                freed += noting(() -> volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT))
                        .freedBytes();
            } else {
                unmount();
                mount();
            }
        }

        private static byte[] content(int number) {
            byte[] bytes = new byte[BLOCK];
            new Random(number).nextBytes(bytes);
            if (number % 3 == 0) {
                // Compressible, in several ways.
                Arrays.fill(bytes, 1000 * number, BLOCK, (byte) number);
            }
            return bytes;
        }

        private void create() throws Exception {
            int tail = random.nextInt(3) == 0 ? random.nextInt(BLOCK) : 0;
            int blocks = 1 + random.nextInt(5);
            byte[] bytes = new byte[blocks * BLOCK + tail];
            for (int at = 0; at < bytes.length; at += BLOCK) {
                System.arraycopy(content(random.nextInt(CONTENTS)), 0, bytes, at, Math.min(BLOCK, bytes.length - at));
            }
            String name = "f" + names++;
            on(() -> {
                long inum = files.create(ROOT, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                        .inum();
                return files.write(inum, 0, MemorySegment.ofArray(bytes), 0);
            });
            model.put(name, bytes);
        }

        private String any() {
            return List.copyOf(model.keySet()).get(random.nextInt(model.size()));
        }

        private void copy() throws Exception {
            String from = any();
            byte[] source = model.get(from);
            String name = "f" + names++;
            on(() -> {
                long inum = files.create(ROOT, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                        .inum();
                for (long at = 0; at < source.length; ) {
                    at += files.copyRange(inum(from), at, inum, at, source.length - at);
                }
                return null;
            });
            model.put(name, source);
        }

        private void overwrite() throws Exception {
            String name = any();
            byte[] bytes = model.get(name).clone();
            int at = random.nextInt(bytes.length / BLOCK) * BLOCK;
            byte[] block = content(random.nextInt(CONTENTS));
            System.arraycopy(block, 0, bytes, at, BLOCK);
            on(() -> files.write(inum(name), at, MemorySegment.ofArray(block), 0));
            model.put(name, bytes);
        }

        private void delete() throws Exception {
            String name = any();
            boolean staysOpen = random.nextInt(4) == 0;
            long inum = on(() -> inum(name));
            on(() -> {
                if (staysOpen) {
                    files.open(inum);
                }
                files.unlink(ROOT, name(name));
                return null;
            });
            byte[] bytes = model.remove(name);
            if (staysOpen) {
                nameless.put(inum, bytes);
            }
        }

        private void release() throws Exception {
            if (!nameless.isEmpty()) {
                long inum = nameless.keySet().iterator().next();
                requireContent("nameless", nameless.remove(inum), on(() -> contentOf(files, inum)));
                on(() -> {
                    files.release(inum);
                    return null;
                });
            }
        }

        private void deduplicate() throws Exception {
            shared += on(() -> new Deduplication(new MountedFiles(files), 1 << 20, false, report -> {}).run(ROOT))
                    .sharedBlocks();
        }

        private long inum(String name) {
            return files.lookup(ROOT, name(name)).inum();
        }

        /** The mounted file system, and what each header would show if it were the newest. */
        private void check() throws Exception {
            for (Map.Entry<String, byte[]> file : model.entrySet()) {
                requireContent(file.getKey(), file.getValue(), on(() -> contentOf(files, inum(file.getKey()))));
            }
            for (Map.Entry<Long, byte[]> file : nameless.entrySet()) {
                requireContent("nameless", file.getValue(), on(() -> contentOf(files, file.getKey())));
            }
            try (Lwkt other = Lwkt.stepped(1, seed)) {
                assertEquals(List.of(), HeaderReach.freeButReached(other, device));
                for (VolumeHeader header : HeaderReach.headers(device)) {
                    checkHeader(other, header.mirrorTid());
                }
            }
        }

        private void checkHeader(Lwkt other, long tid) throws Exception {
            Map<String, byte[]> expected = committed.get(tid);
            // What newfs wrote, or the first commit.
            assertTrue(expected != null, () -> "transaction " + tid + " is not one of " + committed.keySet());
            try (MemoryBlockDevice alone = MemoryBlockDevice.over(device)) {
                for (int copy = 0; copy < Limits.VOLUME_HEADER_COPIES; copy++) {
                    long offset = VolumeHeader.copyOffset(copy);
                    MemorySegment bytes = Arena.ofAuto().allocate(Limits.VOLUME_HEADER_BYTES, 4096);
                    alone.readFully(offset, bytes);
                    if (new VolumeHeader(bytes).mirrorTid() != tid) {
                        alone.writeFully(offset, bytes.fill((byte) 0));
                    }
                }
                try (Hammer2 older = Hammer2.open(
                        other,
                        List.of(new Borrowed(alone)),
                        MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
                    FileSystem then = older.mount("DATA");
                    try {
                        requireFiles(other, then, tid, expected);
                    } catch (AssertionError e) {
                        if (!committedOr.containsKey(tid)) {
                            throw e;
                        }
                        requireFiles(other, then, tid, committedOr.get(tid));
                    }
                }
            }
        }

        private static void requireFiles(Lwkt other, FileSystem then, long tid, Map<String, byte[]> expected)
                throws Exception {
            for (Map.Entry<String, byte[]> file : expected.entrySet()) {
                byte[] found = other.run(0, () -> {
                    var there = then.lookup(ROOT, name(file.getKey()));
                    assertNotNull(there, file.getKey());
                    return contentOf(then, there.inum());
                });
                requireContent("transaction " + tid + ", " + file.getKey(), file.getValue(), found);
            }
        }

        private static void requireContent(String what, byte[] expected, byte[] found) {
            assertArrayEquals(expected, found, what);
        }

        @Override
        public void close() {
            device.close();
        }
    }

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] contentOf(FileSystem files, long inum) {
        byte[] bytes = new byte[(int) files.attributes(inum).size()];
        assertEquals(bytes.length, files.read(inum, 0, MemorySegment.ofArray(bytes)));
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void a_shared_block_stays_while_a_header_leads_to_one_of_its_owners(long seed) throws Exception {
        try (Life life = new Life(seed)) {
            for (int i = 0; i < OPERATIONS; i++) {
                life.change(life::operate);
                if (i % 10 == 9) {
                    life.check();
                }
            }
            life.unmount();
            assertEquals(List.of(), life.log);
            // Where it is done as blocks are written, there is less left.
            assertTrue(life.shared > (seed % 2 == 0 ? -1 : 20), "seed " + seed + ": " + life.shared + " blocks");
            assertTrue(life.freed > 1 << 19, "seed " + seed + ": " + life.freed + " bytes were freed");
        }
    }

    /** The controls: a place that is given out although a header leads to it is found, by the freemap and by what is read. */
    @Test
    void a_block_that_is_free_or_overwritten_while_a_header_leads_to_it_is_found() throws Exception {
        try (Life life = new Life(1)) {
            life.change(life::create);
            life.noting(() -> life.on(() -> {
                life.files.sync();
                return null;
            }));
            life.check();
            try (Lwkt other = Lwkt.stepped(1, 1)) {
                assertFalse(HeaderReach.freeButReached(other, life.device, true).isEmpty());
            }
            long[] place = new long[1];
            life.on(() -> life.files.storedBlocks(life.inum(life.any()), 0, (offset, dataOff, methods, check) -> {
                place[0] = dataOff & ~63L;
                return true;
            }));
            life.device.writeFully(place[0], MemorySegment.ofArray(new byte[1024]));
            boolean found = false;
            try {
                life.check();
            } catch (AssertionError | FsException e) {
                found = true;
            }
            assertTrue(found);
            life.unmount();
        }
    }
}
