package io.hammer2.fs.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.testing.TreeWriter;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.Message;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jpountz.lz4.LZ4Factory;
import org.junit.jupiter.api.Test;

class BlockIoTest {
    private static final long CACHE_BYTES = 16 * 65536;
    private static final long SEED = 7;

    private final TreeWriter writer = new TreeWriter(new Random(SEED));

    @FunctionalInterface
    private interface IoTest {
        void run(Lwkt lwkt, BlockIo io) throws Exception;
    }

    private static void onCpu(BlockDevice device, IoTest test) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(1, SEED)) {
            BlockIo io = new BlockIo(lwkt.cpu(0), device, TreeWriter.DEVICE_BYTES, new PendingWrites(), CACHE_BYTES);
            lwkt.run(0, () -> {
                test.run(lwkt, io);
                io.close();
                return null;
            });
        }
    }

    private BlockRef data(int radix, int content) throws IOException {
        MemorySegment bytes = MemorySegment.ofArray(new byte[1 << radix]).fill((byte) content);
        return writer.write(BlockRef.builder(BlockType.DATA).key(0, 16), bytes);
    }

    private static int firstByte(CachedBlock block) {
        return block.bytes().get(ValueLayout.JAVA_BYTE, 0);
    }

    @Test
    void askers_of_one_block_share_one_device_read() throws Exception {
        BlockRef ref = data(16, 5);
        onCpu(writer.device(), (lwkt, io) -> {
            List<Message<Integer>> answers = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                Message<Integer> answer = new Message<>();
                answers.add(answer);
                io.cpu().spawn("asker", () -> {
                    CachedBlock block = io.load(ref);
                    answer.reply(firstByte(block));
                    io.release(block);
                });
            }
            for (Message<Integer> answer : answers) {
                assertEquals(5, answer.await());
            }
            assertEquals(1, io.stats().deviceReads());
        });
    }

    @Test
    void small_blocks_that_lie_together_are_read_together() throws Exception {
        List<BlockRef> refs = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            refs.add(data(10, i));
        }
        onCpu(writer.device(), (lwkt, io) -> {
            for (int i = 0; i < refs.size(); i++) {
                CachedBlock block = io.load(refs.get(i));
                assertEquals(i, firstByte(block));
                io.release(block);
            }
            assertTrue(
                    io.stats().deviceReads() <= 2, "device reads: " + io.stats().deviceReads());
        });
    }

    @Test
    void what_was_read_before_the_medium_changed_is_not_taken_for_the_new_block() throws Exception {
        BlockRef before = data(10, 1);
        onCpu(writer.device(), (lwkt, io) -> {
            io.release(io.load(before));
            // The same place, used again.
            MemorySegment bytes = MemorySegment.ofArray(new byte[1024]).fill((byte) 2);
            writer.device().writeFully(before.offsetBytes(), bytes);
            BlockRef.Builder changed = before.toBuilder();
            CheckCode.XXHASH64.store(bytes, changed.check());
            CachedBlock block = io.load(changed.build());
            assertEquals(2, firstByte(block));
            io.release(block);
            BlockRef unchecked =
                    before.toBuilder().methods(CheckCode.NONE.code(), 0).build();
            writer.device()
                    .writeFully(
                            before.offsetBytes(),
                            MemorySegment.ofArray(new byte[1024]).fill((byte) 3));
            CachedBlock fresh = io.load(unchecked);
            assertEquals(3, firstByte(fresh));
            io.release(fresh);
        });
    }

    @Test
    void memory_stays_within_its_bound_and_what_is_pinned_stays_in_place() throws Exception {
        List<BlockRef> refs = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            refs.add(data(10 + i % 7, i));
        }
        onCpu(writer.device(), (lwkt, io) -> {
            CachedBlock pinned = io.load(refs.getFirst());
            Random random = new Random(SEED);
            for (int i = 0; i < 3000; i++) {
                int n = random.nextInt(refs.size());
                CachedBlock block = io.load(refs.get(n));
                assertEquals((byte) n, (byte) firstByte(block));
                io.release(block);
                assertEquals(0, firstByte(pinned));
            }
            io.release(pinned);
            assertTrue(
                    io.stats().memoryBytes() <= CACHE_BYTES,
                    "memory " + io.stats().memoryBytes());
            assertTrue(io.stats().evictedBlocks() > 0);
        });
    }

    @Test
    void what_is_decoded_stays_as_it_is_while_others_are_decoded_and_evicted() throws Exception {
        Random random = new Random(SEED);
        List<byte[]> contents = new ArrayList<>();
        List<BlockRef> refs = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            // The second half takes a whole frame each; one in five is no stream.
            byte[] content = new byte[i < 100 ? 1 + random.nextInt(32768) : 65536 - random.nextInt(2) * 1000];
            Arrays.fill(content, (byte) (i + 1));
            contents.add(content);
            refs.add(compressed(content, i % 5 != 4));
        }
        onCpu(writer.device(), (lwkt, io) -> {
            List<CachedBlock> pinned = new ArrayList<>();
            for (int i = 0; i < 3000; i++) {
                // Only short ones for a while, so that the clock's hand passes everything between two long ones.
                BlockRef ref = refs.get(random.nextInt(i % 300 < 200 ? 100 : 200));
                if (refs.indexOf(ref) % 5 == 4) {
                    assertThrows(CorruptBlockException.class, () -> io.load(ref));
                } else {
                    pinned.add(io.load(ref));
                }
                if (pinned.size() > 8) {
                    io.release(pinned.remove(random.nextInt(pinned.size())));
                }
                for (CachedBlock block : pinned) {
                    byte[] content = contents.get(refs.indexOf(block.ref()));
                    byte[] held = Arrays.copyOf(content, (int) block.bytes().byteSize());
                    assertEquals(-1, block.bytes().mismatch(MemorySegment.ofArray(held)));
                    assertTrue(held.length >= content.length);
                }
            }
            pinned.forEach(io::release);
            assertTrue(
                    io.stats().evictedBlocks() > 1000, "evicted " + io.stats().evictedBlocks());
            // All but a few frames were pinned at times.
            assertTrue(
                    io.stats().memoryBytes() <= 2 * CACHE_BYTES,
                    "memory " + io.stats().memoryBytes());
        });
    }

    /** A block of LZ4, or with a length that it cannot have. */
    private BlockRef compressed(byte[] content, boolean sound) throws IOException {
        byte[] stream = LZ4Factory.fastestInstance().fastCompressor().compress(content);
        byte[] stored = new byte[1024];
        MemorySegment.ofArray(stored).set(ValueLayout.JAVA_INT_UNALIGNED, 0, sound ? stream.length : 1021);
        System.arraycopy(stream, 0, stored, 4, stream.length);
        BlockRef ref = writer.write(BlockRef.builder(BlockType.DATA).key(0, 16), MemorySegment.ofArray(stored));
        return ref.toBuilder()
                .methods(CheckCode.XXHASH64.code(), Compression.LZ4.code())
                .build();
    }

    @Test
    void a_wrong_check_code_is_told_to_every_asker_with_expected_and_found() throws Exception {
        BlockRef.Builder wrong = data(14, 9).toBuilder();
        wrong.check().set(ValueLayout.JAVA_BYTE, 0, (byte) ~wrong.check().get(ValueLayout.JAVA_BYTE, 0));
        BlockRef ref = wrong.build();
        onCpu(writer.device(), (lwkt, io) -> {
            for (int i = 0; i < 2; i++) {
                CorruptBlockException damage = assertThrows(CorruptBlockException.class, () -> io.load(ref));
                assertEquals(ref, damage.ref());
                assertEquals(16, damage.expected().length());
                assertEquals(16, damage.found().length());
            }
        });
    }

    @Test
    void a_read_error_is_not_remembered_once_the_device_works_again() throws Exception {
        BlockRef ref = data(15, 4);
        FaultyBlockDevice faulty = new FaultyBlockDevice(writer.device(), SEED, FaultyBlockDevice.Faults.NONE);
        faulty.alwaysAt(FaultyBlockDevice.Fault.READ_ERROR, 0, TreeWriter.DEVICE_BYTES);
        onCpu(faulty, (lwkt, io) -> {
            assertThrows(DeviceErrorException.class, () -> io.load(ref));
            faulty.heal();
            CachedBlock block = io.load(ref);
            assertEquals(4, firstByte(block));
            io.release(block);
        });
    }

    @Test
    void a_bad_sector_takes_only_the_blocks_that_lie_in_it() throws Exception {
        List<BlockRef> refs = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            refs.add(data(10, i));
        }
        FaultyBlockDevice faulty = new FaultyBlockDevice(writer.device(), SEED, FaultyBlockDevice.Faults.NONE);
        faulty.alwaysAt(FaultyBlockDevice.Fault.READ_ERROR, refs.get(17).offsetBytes(), 1024);
        onCpu(faulty, (lwkt, io) -> {
            for (int i = 0; i < refs.size(); i++) {
                BlockRef ref = refs.get(i);
                if (i == 17) {
                    assertThrows(DeviceErrorException.class, () -> io.load(ref));
                } else {
                    CachedBlock block = io.load(ref);
                    assertEquals(i, firstByte(block));
                    io.release(block);
                }
            }
        });
    }

    @Test
    void unknown_methods_are_damage_and_not_a_crash() throws Exception {
        BlockRef plain = data(12, 1);
        onCpu(writer.device(), (lwkt, io) -> {
            for (int method = 0; method < 256; method++) {
                BlockRef ref =
                        plain.toBuilder().methods(method >>> 4, method & 15).build();
                try {
                    io.release(io.load(ref));
                } catch (CorruptBlockException expected) {
                    assertEquals(ref, expected.ref());
                }
            }
        });
    }
}
