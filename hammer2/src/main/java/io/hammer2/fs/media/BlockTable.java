package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;

/**
 * The array of block references inside a block: 4 in an inode or in the volume header, up to 512 in an indirect block
 * (section 7). A view; entries are read where they lie, so that a search makes no object.
 *
 * <p>Rules (section 7): entries that are not empty are sorted by key, their ranges are disjoint, and empty slots may be
 * anywhere. A table that came from a medium is searched only after {@link #validate}, which also packs it.
 */
public final class BlockTable {
    private final MemorySegment segment;
    private final long baseBytes;
    private final int slotCount;
    private int entryCount;

    private BlockTable(MemorySegment segment, long baseBytes, int slotCount) {
        this.segment = segment;
        this.baseBytes = baseBytes;
        this.slotCount = slotCount;
        this.entryCount = slotCount;
    }

    /** The table of {@code slotCount} references that begins at {@code baseBytes} of {@code segment}. */
    public static BlockTable of(MemorySegment segment, long baseBytes, int slotCount) {
        return new BlockTable(segment, baseBytes, slotCount);
    }

    /** The table that fills {@code segment}. */
    public static BlockTable of(MemorySegment segment) {
        return new BlockTable(segment, 0, (int) (segment.byteSize() / BlockRef.BYTES));
    }

    /** The table that fills {@code segment}, which is valid and packed: its first {@code entryCount} slots are taken. */
    public static BlockTable packed(MemorySegment segment, int entryCount) {
        BlockTable table = of(segment);
        table.entryCount = entryCount;
        return table;
    }

    /** A table of {@code slotCount} empty slots, in memory of its own. */
    public static BlockTable empty(int slotCount) {
        BlockTable table = of(MemorySegment.ofArray(new byte[slotCount * BlockRef.BYTES]));
        table.entryCount = 0;
        return table;
    }

    /** A packed copy of this validated table, in memory of its own. */
    public BlockTable copy() {
        BlockTable copy = empty(slotCount);
        MemorySegment.copy(segment, baseBytes, copy.segment, 0, (long) entryCount * BlockRef.BYTES);
        copy.entryCount = entryCount;
        return copy;
    }

    /**
     * A validated, packed copy of this table as it came from a medium, in memory of its own; this one stays as it is.
     *
     * @throws CorruptBlockException as {@link #validate}
     */
    public BlockTable copyValidated(long totalBytes) {
        BlockTable copy = empty(slotCount);
        MemorySegment.copy(segment, baseBytes, copy.segment, 0, (long) slotCount * BlockRef.BYTES);
        return copy.validate(totalBytes);
    }

    /** Slots, empty ones included. */
    public int slotCount() {
        return slotCount;
    }

    /** After {@link #validate}: entries, which are then slots 0 to this less one. Before: the same as {@link #slotCount}. */
    public int entryCount() {
        return entryCount;
    }

    public boolean isEmpty(int slot) {
        return typeCode(slot) == 0;
    }

    /** @throws CorruptBlockException if the type is unknown */
    public BlockType type(int slot) {
        return BlockType.of(typeCode(slot));
    }

    public long key(int slot) {
        return Fields.u64(segment, offset(slot) + BlockRef.KEY);
    }

    public int keybits(int slot) {
        return Fields.u8(segment, offset(slot) + BlockRef.KEYBITS);
    }

    public long keyEnd(int slot) {
        return Key.end(key(slot), keybits(slot));
    }

    /** Offset and radix as stored, of what {@code slot} refers to. */
    public long dataOff(int slot) {
        return Fields.u64(segment, offset(slot) + BlockRef.DATA_OFF);
    }

    /** Logical offset of what {@code slot} refers to. */
    public long offsetBytes(int slot) {
        return dataOff(slot) & ~BlockRef.RADIX_MASK;
    }

    /** Binary logarithm of the stored size of what {@code slot} refers to, 0 for "no storage". */
    public int radix(int slot) {
        return (int) dataOff(slot) & BlockRef.RADIX_MASK;
    }

    /** Transaction of the whole medium in which what {@code slot} refers to was written (section 12). */
    public long mirrorTid(int slot) {
        return Fields.u64(segment, offset(slot) + BlockRef.MIRROR_TID);
    }

    /** A copy of the reference in {@code slot}. */
    public BlockRef ref(int slot) {
        return BlockRef.read(segment, offset(slot));
    }

    /** Where {@code slot} lies in {@link #segment}, for {@link BlockRef#isAt} and {@link BlockRef#hashAt}. */
    public long offset(int slot) {
        if (slot < 0 || slot >= slotCount) {
            throw new IndexOutOfBoundsException("slot " + slot + " of " + slotCount);
        }
        return baseBytes + (long) slot * BlockRef.BYTES;
    }

    /** The block that this is a part of. */
    public MemorySegment segment() {
        return segment;
    }

    public void set(int slot, BlockRef ref) {
        ref.write(segment, offset(slot));
    }

    public void clear(int slot) {
        segment.asSlice(offset(slot), BlockRef.BYTES).fill((byte) 0);
    }

    /**
     * Checks every entry ({@link BlockRef#validate}) and the order of all, and moves the entries to the front, which is a
     * legal table with the same meaning; so the segment must be one that nobody checks again.
     *
     * @param totalBytes size of the file system
     * @throws CorruptBlockException naming the broken rule and the entry
     */
    public BlockTable validate(long totalBytes) {
        int count = 0;
        long previousEnd = 0;
        for (int slot = 0; slot < slotCount; slot++) {
            if (isEmpty(slot)) {
                continue;
            }
            BlockRef ref = ref(slot).validate(totalBytes);
            if (count > 0 && !Key.less(previousEnd, ref.key())) {
                throw new CorruptBlockException(
                        ref, "order of a block table", "a key above " + Key.text(previousEnd), Key.text(ref.key()));
            }
            previousEnd = ref.keyEnd();
            if (count != slot) {
                ref.write(segment, offset(count));
                clear(slot);
            }
            count++;
        }
        entryCount = count;
        return this;
    }

    /**
     * First entry whose range ends at or after {@code key}: the one that covers it, or else the next one.
     *
     * @return its slot, or {@link #entryCount} when all end before; only after {@link #validate}
     */
    public int lowerBound(long key) {
        int low = 0;
        int high = entryCount;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Key.less(keyEnd(middle), key)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Slot of the entry that covers {@code key}, or -1; only after {@link #validate}. */
    public int find(long key) {
        int slot = lowerBound(key);
        return slot < entryCount && Key.lessOrEqual(key(slot), key) ? slot : -1;
    }

    /** The type as stored, which need not exist: for a checker. */
    public int typeCode(int slot) {
        return Fields.u8(segment, offset(slot) + BlockRef.TYPE);
    }

    /** Whether every slot is taken; only of a packed table. */
    public boolean isFull() {
        return entryCount == slotCount;
    }

    /** Puts {@code ref} into {@code slot} of a packed table, after moving what was there and what follows up by one. */
    public void insert(int slot, BlockRef ref) {
        if (isFull() || slot > entryCount) {
            throw new IllegalStateException(
                    "insert at " + slot + " into " + entryCount + " of " + slotCount + " slots");
        }
        move(slot, slot + 1, entryCount - slot);
        entryCount++;
        set(slot, ref);
    }

    /** Takes {@code slot} out of a packed table, and moves what follows down by one. */
    public void remove(int slot) {
        if (slot >= entryCount) {
            throw new IllegalStateException("remove of " + slot + " from " + entryCount + " entries");
        }
        move(slot + 1, slot, entryCount - slot - 1);
        entryCount--;
        clear(entryCount);
    }

    private void move(int from, int to, int count) {
        MemorySegment.copy(
                segment,
                baseBytes + (long) from * BlockRef.BYTES,
                segment,
                baseBytes + (long) to * BlockRef.BYTES,
                (long) count * BlockRef.BYTES);
    }
}
