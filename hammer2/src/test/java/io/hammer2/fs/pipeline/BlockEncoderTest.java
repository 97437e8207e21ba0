package io.hammer2.fs.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.Decompressor;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the steps make of a block, for every policy: as format section 11.3 wants it, and the same on every cpu. */
final class BlockEncoderTest {
    private static void onCpu(Callable<Void> body) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(1, 1)) {
            lwkt.run(0, body);
        }
    }

    /** From all alike to all random, or zero. */
    private static byte[] content(Random random) {
        byte[] content = new byte[1024 << random.nextInt(7)];
        int alphabet = 1 << random.nextInt(9);
        switch (random.nextInt(8)) {
            case 0 -> {}
            case 1 -> random.nextBytes(content);
            default -> {
                for (int at = 0; at < content.length; at++) {
                    content[at] =
                            (byte) (random.nextInt(4) == 0 || at == 0 ? random.nextInt(alphabet) : content[at - 1]);
                }
            }
        }
        return content;
    }

    private static boolean isZero(byte[] content) {
        for (byte b : content) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    @ParameterizedTest
    @EnumSource(Compression.class)
    void every_cpu_makes_the_same_of_a_block_and_it_decodes(Compression compression) throws Exception {
        onCpu(() -> {
            Random random = new Random(compression.code());
            int smaller = 0;
            int holes = 0;
            try (Arena arena = Arena.ofShared();
                    BufferPool buffers = new BufferPool();
                    BlockEncoder fresh = new BlockEncoder(buffers);
                    BlockEncoder used = new BlockEncoder(buffers);
                    Decompressor decompressor = new Decompressor()) {
                MemorySegment logical = arena.allocate(Limits.BLOCK_BYTES_MAX);
                for (int i = 0; i < 300; i++) {
                    byte[] content = content(random);
                    int check = random.nextInt(5);
                    DataPolicy policy = DataPolicy.of(compression.code(), check, VolumeHeader.EXTENSION_ZSTD);
                    MemorySegment plain = arena.allocate(content.length, 8).copyFrom(MemorySegment.ofArray(content));
                    OutgoingBlock block = new OutgoingBlock(0, plain, policy, true, () -> {});
                    OutgoingBlock again = new OutgoingBlock(0, plain, policy, true, () -> {});
                    used.encode(block);
                    fresh.encode(again);
                    boolean hole = isZero(content) && compression != Compression.NONE && check != CheckCode.NONE.code();
                    assertEquals(hole, block.isHole(), () -> policy.toString());
                    if (hole) {
                        holes++;
                        continue;
                    }
                    long size = block.stored().byteSize();
                    assertEquals(1, Long.bitCount(size));
                    if (block.isCompressed()) {
                        smaller++;
                        assertTrue(size >= 1024 && size <= Math.max(1024, content.length / 2), size + " bytes");
                        assertEquals(compression, block.encoding());
                    } else {
                        assertEquals(plain.address(), block.stored().address());
                    }
                    assertEquals(-1, block.stored().mismatch(again.stored()));
                    assertEquals(-1, block.check().mismatch(again.check()));
                    assertTrue(CheckCode.of(check).matches(block.stored(), block.check()));
                    decompressor.decompress(block.encoding(), block.stored(), logical);
                    assertArrayEquals(
                            content, logical.asSlice(0, content.length).toArray(ValueLayout.JAVA_BYTE));
                    block.releaseEncoded(buffers);
                    again.releaseEncoded(buffers);
                }
                assertEquals(0, buffers.usedBytes());
            }
            assertEquals(compression == Compression.NONE, holes == 0);
            assertEquals(compression != Compression.NONE && compression != Compression.AUTOZERO, smaller > 50);
            return null;
        });
    }

    /** Also with a plain copy of text, which would get smaller. */
    @Test
    void what_is_not_to_be_tried_is_stored_as_it_is() throws Exception {
        onCpu(() -> {
            try (Arena arena = Arena.ofShared();
                    BufferPool buffers = new BufferPool();
                    BlockEncoder encoder = new BlockEncoder(buffers)) {
                MemorySegment plain = arena.allocate(Limits.BLOCK_BYTES_MAX).fill((byte) 'x');
                OutgoingBlock block = new OutgoingBlock(0, plain, DataPolicy.of(2, 3, 0), false, () -> {});
                encoder.encode(block);
                assertFalse(block.isCompressed());
                OutgoingBlock tried = new OutgoingBlock(0, plain, DataPolicy.of(2, 3, 0), true, () -> {});
                encoder.encode(tried);
                assertTrue(tried.isCompressed());
                tried.releaseEncoded(buffers);
            }
            return null;
        });
    }

    /** A library that is asked for a level that it does not have ends in an error, and the commit with it. */
    @Test
    void a_level_that_there_is_not_becomes_the_nearest() {
        assertEquals(9, DataPolicy.of(0xF3, 3, 0).level());
        assertEquals(6, DataPolicy.of(0x13, 3, 0).level());
        assertEquals(0, DataPolicy.of(0x03, 3, 0).level());
        assertEquals(0, DataPolicy.of(0x92, 3, 0).level());
        assertEquals(0, DataPolicy.of(0x5F, 3, 0).level());
    }

    /** As inodes of another implementation may say, for which the number could mean anything. */
    @Test
    void no_volume_gets_zstd_that_has_not_asked_for_it() {
        assertEquals(Compression.AUTOZERO, DataPolicy.of(0x34, 3, 0).compression());
        assertEquals(
                new DataPolicy(Compression.ZSTD, 3, CheckCode.XXHASH64),
                DataPolicy.of(0x34, 3, VolumeHeader.EXTENSION_ZSTD));
    }

    @Test
    void a_policy_of_no_known_version_loses_nothing() {
        assertEquals(new DataPolicy(Compression.AUTOZERO, 0, CheckCode.XXHASH64), DataPolicy.of(0x0F, 0x0E, 0));
        assertEquals(new DataPolicy(Compression.ZLIB, 9, CheckCode.SHA192), DataPolicy.of(0x93, 0x04, 0));
        assertEquals(
                CheckCode.XXHASH64,
                DataPolicy.of(2, CheckCode.FREEMAP.code(), 0).check());
    }
}
