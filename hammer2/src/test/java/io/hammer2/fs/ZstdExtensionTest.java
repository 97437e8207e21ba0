package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.fsck.FsckResult;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.sweep.MountedFiles;
import io.hammer2.fs.sweep.Recompression;
import io.hammer2.fs.testing.SteppedVolume;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** zstd is on volumes for which somebody has asked for it, and on no others, whatever their inodes say. */
class ZstdExtensionTest {
    private static final int ZSTD = Compression.ZSTD.code();
    private static final int ZSTD_9 = 9 << 4 | ZSTD;
    private static final int LZ4 = Compression.LZ4.code();
    private static final int NONE = Compression.NONE.code();

    private final SteppedVolume volume = new SteppedVolume(128L << 20);

    @BeforeEach
    void format() throws Exception {
        volume.format();
        volume.mount();
    }

    @AfterEach
    void close() throws Exception {
        volume.close();
    }

    /** 20 blocks of words, and a tail. */
    private static byte[] words(long seed) {
        Random random = new Random(seed);
        byte[] bytes = new byte[20 * Limits.BLOCK_BYTES_MAX + 5000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i > 300 && random.nextInt(20) != 0 ? bytes[i - 290] : 'a' + random.nextInt(20));
        }
        return bytes;
    }

    private void setPolicy(long inum, int compAlgo) throws Exception {
        volume.on(() -> {
            volume.files().setDataPolicy(inum, compAlgo, FileSystem.POLICY_KEEP);
            return null;
        });
    }

    private int extensions() {
        return new VolumeHeader(bytesOfHeader()).extensions();
    }

    private MemorySegment bytesOfHeader() {
        MemorySegment bytes = Arena.ofAuto().allocate(Limits.VOLUME_HEADER_BYTES, 4096);
        volume.disk().read(0, bytes, error -> {
            assertEquals(null, error);
        });
        return bytes;
    }

    /** As a volume of somebody else's is, where this number in an inode may mean anything. */
    private void takeMarkAway() {
        // The spare copy is older, and looked at only where this one is damaged.
        MemorySegment bytes = bytesOfHeader();
        bytes.asSlice(0xE8, 8).fill((byte) 0);
        VolumeHeader header = new VolumeHeader(bytes);
        header.updateCrcs();
        volume.disk().write(0, bytes, error -> {
            assertEquals(null, error);
        });
    }

    private FsckResult fsck() {
        return Fsck.check(List.of(volume.disk()), FsckOptions.DEFAULT, finding -> {});
    }

    @Test
    void a_volume_is_without_it_until_it_is_asked_for_and_tells_of_it_from_then_on() throws Exception {
        byte[] content = words(1);
        long inum = volume.create("before", content);
        volume.sync();
        assertEquals(0, extensions());
        assertEquals(Set.of(LZ4), volume.encodings(inum));

        setPolicy(FileSystem.ROOT_INUM, ZSTD_9);
        long heir = volume.create("after", content);
        volume.sync();
        assertEquals(VolumeHeader.EXTENSION_ZSTD, extensions());
        assertEquals(Set.of(ZSTD), volume.encodings(heir));
        volume.unmount();
        assertEquals(FsckResult.Outcome.CLEAN, fsck().outcome());
        assertEquals(21, fsck().counts().zstdCount());
        assertEquals(VolumeHeader.EXTENSION_ZSTD, fsck().fileSystem().extensions());

        // Whoever mounts it next has it still, after commits that have nothing to do with it.
        volume.mount();
        volume.create("again", words(2));
        volume.unmount();
        assertEquals(VolumeHeader.EXTENSION_ZSTD, extensions());
        volume.mount();
        assertArrayEquals(content, volume.content(heir));
        volume.unmount();
        assertEquals(FsckResult.Outcome.CLEAN, fsck().outcome());
    }

    @Test
    void inodes_of_a_volume_that_has_not_asked_get_no_zstd_and_lose_nothing() throws Exception {
        byte[] content = words(3);
        setPolicy(FileSystem.ROOT_INUM, ZSTD);
        long first = volume.create("first", content);
        volume.unmount();
        takeMarkAway();
        assertTrue(fsck().problemCount() > 0, "fsck does not see that the header does not allow it");

        volume.mount();
        // What is there can be read, and what is written is stored as it is.
        assertArrayEquals(content, volume.content(first));
        byte[] other = words(4);
        long second = volume.create("second", other);
        volume.sync();
        assertEquals(Set.of(NONE), volume.encodings(second));
        Set<Long> places = volume.places(first);
        Recompression.Report report = volume.on(
                () -> new Recompression(new MountedFiles(volume.files()), 4 << 20, so -> {}).run(FileSystem.ROOT_INUM));
        assertEquals(0, report.rewrittenBlocks(), report.toString());
        volume.sync();
        assertEquals(places, volume.places(first));
        assertEquals(0, extensions());

        // Control: with the question asked, the same inodes do.
        setPolicy(second, ZSTD);
        volume.write(second, content);
        volume.sync();
        assertEquals(Set.of(ZSTD), volume.encodings(second));
        assertEquals(VolumeHeader.EXTENSION_ZSTD, extensions());
        assertArrayEquals(Arrays.copyOf(content, content.length), volume.content(second));
    }

    @Test
    void recompression_to_zstd_and_back_leaves_none_of_it() throws Exception {
        byte[] content = words(5);
        long inum = volume.create("file", content);
        volume.sync();
        setPolicy(inum, ZSTD_9);
        recompress();
        assertEquals(Set.of(ZSTD), volume.encodings(inum));
        assertArrayEquals(content, volume.content(inum));
        for (int back : new int[] {LZ4, NONE}) {
            setPolicy(inum, back);
            recompress();
            assertFalse(volume.encodings(inum).contains(ZSTD), "still zstd as " + back);
            assertArrayEquals(content, volume.content(inum));
            setPolicy(inum, ZSTD);
            recompress();
            assertTrue(volume.encodings(inum).contains(ZSTD));
        }
        setPolicy(inum, NONE);
        recompress();
        volume.unmount();
        assertEquals(FsckResult.Outcome.CLEAN, fsck().outcome());
        assertEquals(0, fsck().counts().zstdCount());
    }

    private void recompress() throws Exception {
        volume.on(
                () -> new Recompression(new MountedFiles(volume.files()), 4 << 20, so -> {}).run(FileSystem.ROOT_INUM));
        volume.sync();
    }
}
