package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.ImageEditor;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** A file that truncate made longer keeps its short last block until that is written again (format section 11.2). */
final class ExtendedFileTest {
    private static final int NODES_MAX = 100_000;
    private static final int INODE_SIZE = 0x60;

    @Test
    void a_read_that_begins_behind_the_stored_part_of_a_block_gives_zeros() throws Exception {
        try (ImageEditor editor = ImageEditor.open(InteropImages.get("v04-zlib"), NODES_MAX)) {
            ImageEditor.Node data = editor.nodes(BlockType.DATA).stream()
                    .filter(node ->
                            node.ref().radix() == Limits.RADIX_MIN && node.ref().compressionMethod() == 0)
                    .filter(node -> node.parent().type() == BlockType.INODE
                            && node.ref().key() == 0)
                    .filter(node -> isSmallFile(new InodeBlock(editor.block(node.parent()))))
                    .findFirst()
                    .orElseThrow();
            long inum = data.parent().ref().key();
            editor.editBlock(
                    data.parent(),
                    inode -> inode.set(ValueLayout.JAVA_LONG_UNALIGNED, INODE_SIZE, Limits.BLOCK_BYTES_MAX));
            editor.refit(data.parent());
            MountOptions options = MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, line -> {});
            try (Lwkt lwkt = Lwkt.stepped(1, 1);
                    Hammer2 volume = Hammer2.open(lwkt, editor.volumes(), options);
                    Arena arena = Arena.ofShared()) {
                FileSystem fs = volume.mount(null);
                MemorySegment buffer = arena.allocate(4096);
                for (int offset : new int[] {1000, 1024, 1025, 22_689, 61_440}) {
                    buffer.fill((byte) 0xee);
                    assertEquals(4096, lwkt.run(0, () -> fs.read(inum, offset, buffer)));
                    long firstZero = Math.max(0, 1024 - offset);
                    MemorySegment zeros = buffer.asSlice(firstZero);
                    assertTrue(isZero(zeros), "offset " + offset);
                }
            }
        }
    }

    /** One whose only block decodes to 1 KiB. */
    private static boolean isSmallFile(InodeBlock inode) {
        return inode.type() == FileType.REGULAR && inode.sizeBytes() <= Limits.KIB;
    }

    private static boolean isZero(MemorySegment bytes) {
        return bytes.mismatch(MemorySegment.ofArray(new byte[(int) bytes.byteSize()])) < 0;
    }
}
