package io.hammer2.fs.testing;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Key;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Writes block trees of legal shapes to a device in memory: random widths, depths, table sizes and gaps in tables (format
 * section 7). Leaves are directory entries whose name is
 * their key.
 */
public final class TreeWriter {
    /** Size of the device. */
    public static final long DEVICE_BYTES = 1L << 30;

    private static final long FIRST_OFFSET = 16L << 20;

    private final MemoryBlockDevice device = new MemoryBlockDevice(DEVICE_BYTES);
    private final Random random;
    private long nextOffset = FIRST_OFFSET;

    public TreeWriter(Random random) {
        this.random = random;
    }

    public MemoryBlockDevice device() {
        return device;
    }

    /** A validated root table of four slots, above leaves with these keys: bit 63 set, sorted as unsigned numbers. */
    public BlockTable tree(List<Long> keys) throws IOException {
        MemorySegment root = MemorySegment.ofArray(new byte[4 * BlockRef.BYTES]);
        List<BlockRef> refs = keys.size() <= 4 ? leaves(keys) : List.of(indirect(keys, 63, Long.MIN_VALUE));
        fill(BlockTable.of(root), refs);
        return BlockTable.of(root).validate(DEVICE_BYTES);
    }

    /** Writes {@code content} to a new place and completes {@code ref} with the place and an XXH64. */
    public BlockRef write(BlockRef.Builder ref, MemorySegment content) throws IOException {
        return write(ref, content, CheckCode.XXHASH64);
    }

    /** As {@link #write(BlockRef.Builder, MemorySegment)} with another check code. */
    public BlockRef write(BlockRef.Builder ref, MemorySegment content, CheckCode check) throws IOException {
        int radix = Long.SIZE - 1 - Long.numberOfLeadingZeros(content.byteSize());
        long offset = (nextOffset + content.byteSize() - 1) & -content.byteSize();
        nextOffset = offset + content.byteSize();
        device.writeFully(offset, content);
        check.store(content, ref.check());
        return ref.methods(check.code(), 0).dataOff(offset | radix).build();
    }

    /** Offset that the next block of {@code radix} will get. */
    public long nextOffset(int radix) {
        return (nextOffset + (1L << radix) - 1) & -(1L << radix);
    }

    /** A directory entry that is its own name, with this key. */
    public static BlockRef leaf(long key) {
        BlockRef.Builder ref = BlockRef.builder(BlockType.DIRENT).key(key, 0);
        byte[] name = Key.text(key).getBytes(StandardCharsets.US_ASCII);
        DirectoryEntry.fill(ref, key & Long.MAX_VALUE, FileType.REGULAR, MemorySegment.ofArray(name));
        return ref.build();
    }

    private List<BlockRef> leaves(List<Long> keys) {
        return keys.stream().map(TreeWriter::leaf).toList();
    }

    /** An indirect block for {@code keys}, all of which lie in the range of {@code keybits} at {@code base}. */
    private BlockRef indirect(List<Long> keys, int keybits, long base) throws IOException {
        int radix = 12 + random.nextInt(3);
        int slots = 1 << (radix - 7);
        List<BlockRef> refs = new ArrayList<>();
        if ((keys.size() <= slots && random.nextInt(4) != 0) || keybits <= 5) {
            refs.addAll(leaves(keys));
            while (refs.size() > slots) {
                radix++;
                slots *= 2;
            }
        } else {
            int splitBits = Math.min(keybits - 1, 1 + random.nextInt(5));
            int childBits = keybits - splitBits;
            for (int from = 0; from < keys.size(); ) {
                long childBase = Key.base(keys.get(from), childBits);
                int to = from;
                while (to < keys.size() && Key.base(keys.get(to), childBits) == childBase) {
                    to++;
                }
                List<Long> part = keys.subList(from, to);
                refs.add(
                        part.size() == 1 && random.nextBoolean()
                                ? leaf(part.getFirst())
                                : indirect(part, childBits, childBase));
                from = to;
            }
        }
        MemorySegment table = MemorySegment.ofArray(new byte[1 << radix]);
        fill(BlockTable.of(table), refs);
        return write(BlockRef.builder(BlockType.INDIRECT).key(base, keybits), table);
    }

    /** In order, with empty slots strewn between. */
    private void fill(BlockTable table, List<BlockRef> refs) {
        int spare = table.slotCount() - refs.size();
        int slot = 0;
        for (BlockRef ref : refs) {
            int skip = spare > 0 ? random.nextInt(Math.min(spare, 3) + 1) : 0;
            spare -= skip;
            slot += skip;
            table.set(slot++, ref);
        }
    }

    /** Off-heap copy, for devices that want one. */
    public static MemorySegment offHeap(MemorySegment bytes) {
        return Arena.ofAuto().allocate(bytes.byteSize()).copyFrom(bytes);
    }
}
