package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.HostileBlocks;
import io.hammer2.fs.testing.ImageEditor;
import io.hammer2.fs.testing.SteppedVolume;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Files of which every block was exchanged for one that somebody made to do harm, with check codes that fit up to the header: read as a
 * program reads them, each such block is EIO, or at most 64 KiB of garbage, within the memory of the cache; and what lies beside it is there.
 */
final class HostileFilesTest {
    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;
    private static final int BLOCKS = 100;

    /** Of each method. */
    private static final int REFUSED_MIN = 3_500;

    private static final int ROUNDS_MAX = 100;

    /** Each block differs, and takes 2 to 32 KiB when compressed. */
    private static byte[] content(int block) {
        Random random = new Random(block);
        byte[] bytes = new byte[BLOCK];
        random.nextBytes(bytes);
        int noise = 1200 + random.nextInt(25_000);
        for (int i = noise; i < BLOCK; i++) {
            bytes[i] = bytes[i % noise];
        }
        return bytes;
    }

    private static byte[] whole() {
        byte[] bytes = new byte[BLOCKS * BLOCK];
        for (int block = 0; block < BLOCKS; block++) {
            System.arraycopy(content(block), 0, bytes, block * BLOCK, BLOCK);
        }
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(names = {"LZ4", "ZLIB", "ZSTD"})
    void a_hostile_block_of_a_file_is_eio_and_nothing_else(Compression method) throws Exception {
        long seed = 20261126L + method.code();
        Random random = new Random(seed);
        HostileBlocks hostile = new HostileBlocks(random, method);
        int refused = 0;
        int garbage = 0;
        try (SteppedVolume volume = new SteppedVolume(64L << 20)) {
            volume.format();
            volume.mount();
            long victim = volume.create("victim");
            volume.on(() -> {
                volume.files().setDataPolicy(victim, method.code(), FileSystem.POLICY_KEEP);
                return null;
            });
            volume.write(victim, whole());
            long other = volume.create("other", content(4711));
            volume.unmount();
            try (ImageEditor editor = ImageEditor.over(List.of(volume.disk()), 2_000)) {
                List<ImageEditor.Node> blocks = editor.nodes(BlockType.DATA).stream()
                        .filter(node -> node.ref().compressionMethod() == method.code()
                                && node.ref().checkMethod() == CheckCode.XXHASH64.code()
                                && inumOf(node) == victim)
                        .toList();
                assertEquals(BLOCKS, blocks.size());
                for (int round = 0; refused < REFUSED_MIN && round < ROUNDS_MAX; round++) {
                    editor.reset();
                    for (ImageEditor.Node node : blocks) {
                        editor.editBlock(node, hostile::harm);
                    }
                    editor.refitAll();
                    volume.mount(editor.volumes().getFirst(), 1, options -> options);
                    int[] counts = readAll(volume, victim);
                    refused += counts[0];
                    garbage += counts[1];
                    assertArrayEquals(content(4711), volume.content(other), "seed " + seed + " round " + round);
                    long memory = volume.on(() -> volume.volume().ioStats().memoryBytes());
                    assertTrue(memory <= 2 * MountOptions.CACHE_BYTES_MIN, memory + " bytes");
                    volume.unmount();
                }
            }
        }
        assertTrue(refused >= REFUSED_MIN, refused + " refused and " + garbage + " read, seed " + seed);
    }

    private static long inumOf(ImageEditor.Node node) {
        ImageEditor.Node above = node;
        while (above.type() != BlockType.INODE) {
            above = above.parent();
        }
        return above.ref().key();
    }

    /** @return blocks that were EIO, and blocks that were content of some kind */
    private static int[] readAll(SteppedVolume volume, long inum) throws Exception {
        int[] counts = new int[2];
        volume.on(() -> {
            MemorySegment into = MemorySegment.ofArray(new byte[BLOCK]);
            for (int block = 0; block < BLOCKS; block++) {
                try {
                    assertEquals(BLOCK, volume.files().read(inum, (long) block * BLOCK, into));
                    counts[1]++;
                } catch (FsException e) {
                    assertEquals(Errno.EIO, e.errno());
                    counts[0]++;
                }
            }
            return null;
        });
        return counts;
    }
}
