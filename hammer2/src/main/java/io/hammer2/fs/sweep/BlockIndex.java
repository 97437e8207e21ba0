package io.hammer2.fs.sweep;

import io.hammer2.fs.StoredBlock;
import java.util.Arrays;

/**
 * Blocks by what their check codes say, in a bounded amount of memory: of each content the first block that was met, and the places
 * of others that seem to hold the same.
 *
 * <p>When it is full, it keeps the lower half of the fingerprints that it covers, and the rest is for another pass. Fingerprints are
 * evenly distributed, since they are check codes.
 */
final class BlockIndex {
    private static final int FIRST_SLOTS = 1024;

    // Words of an entry.
    private static final int FINGERPRINT = 0;
    private static final int DATA_OFF = 1;
    private static final int INUM = 2;
    /** Offsets of blocks leave the lower bits free. */
    private static final int OFFSET = 3;

    private static final int WORDS = 4;

    /** In {@link #OFFSET}: not the first of its content. */
    private static final long IS_COPY = 1;

    private static final long OFFSET_MASK = -65536;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    private final long bytesMax;

    /** Open addressing by fingerprint; a data_off of 0 marks an empty slot. At most three quarters full. */
    private long[] entries = new long[FIRST_SLOTS * WORDS];

    private int count;

    /** What is covered: fingerprints from {@code low} to {@code high}, unsigned and inclusive. */
    private long low;

    private long high = -1;

    /** Copies that had to be forgotten, and were counted before. */
    private long forgottenBytes;

    BlockIndex(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Of what is stored alike, and only of that in all but a few cases, the same number. */
    static long fingerprint(long dataOff, int methods, long check) {
        long kind = ((dataOff & 63) << 8) | methods;
        return (check ^ kind * 0xC2B2AE3D27D4EB4FL) * MIX;
    }

    /**
     * Takes a block that was met.
     *
     * @return the first block of the same fingerprint, if that is elsewhere on the medium; null when there is nothing to be gained
     */
    StoredBlock add(long fingerprint, StoredBlock block) {
        if (!covers(fingerprint)) {
            return null;
        }
        int first = -1;
        int slot = slotOf(entries, fingerprint);
        for (; entries[slot + DATA_OFF] != 0; slot = next(entries, slot)) {
            if (entries[slot + FINGERPRINT] != fingerprint) {
                continue;
            }
            boolean isCopy = (entries[slot + OFFSET] & IS_COPY) != 0;
            first = isCopy ? first : slot;
            if (entries[slot + DATA_OFF] == block.dataOff()) {
                return isCopy ? firstOf(fingerprint) : null;
            }
        }
        StoredBlock found = first < 0 ? null : block(first);
        put(entries, slot, fingerprint, block, found != null);
        if (++count > slots() / 4 * 3) {
            makeRoom();
        }
        return found;
    }

    /** The first block of a fingerprint is not there any more: this one is it now. */
    void replaceFirst(long fingerprint, StoredBlock block) {
        for (int slot = slotOf(entries, fingerprint); entries[slot + DATA_OFF] != 0; slot = next(entries, slot)) {
            if (entries[slot + FINGERPRINT] == fingerprint && (entries[slot + OFFSET] & IS_COPY) == 0) {
                put(entries, slot, fingerprint, block, false);
                return;
            }
        }
    }

    /** Bytes on the medium, in places whose content is found elsewhere too: of the fingerprints that are covered by now. */
    long copiedBytes() {
        long bytes = forgottenBytes;
        for (int slot = 0; slot < entries.length; slot += WORDS) {
            if (entries[slot + DATA_OFF] != 0 && (entries[slot + OFFSET] & IS_COPY) != 0) {
                bytes += 1L << (entries[slot + DATA_OFF] & 63);
            }
        }
        return bytes;
    }

    /** Ends a pass: forgets all, and covers the next fingerprints. @return false when all were covered */
    boolean nextPass() {
        if (high == -1) {
            return false;
        }
        // All of the rest, until it proves too much: check codes are as a volume says, and may lie side by side.
        low = high + 1;
        high = -1;
        Arrays.fill(entries, 0);
        count = 0;
        forgottenBytes = 0;
        return true;
    }

    private boolean covers(long fingerprint) {
        return Long.compareUnsigned(fingerprint, low) >= 0 && Long.compareUnsigned(fingerprint, high) <= 0;
    }

    private StoredBlock firstOf(long fingerprint) {
        for (int slot = slotOf(entries, fingerprint); entries[slot + DATA_OFF] != 0; slot = next(entries, slot)) {
            if (entries[slot + FINGERPRINT] == fingerprint && (entries[slot + OFFSET] & IS_COPY) == 0) {
                return block(slot);
            }
        }
        return null;
    }

    private void makeRoom() {
        // While it is rebuilt, both arrays are there.
        if (3L * entries.length * Long.BYTES <= bytesMax) {
            rebuild(2 * entries.length, true);
            return;
        }
        long keep = slots() / 2;
        while (count > keep && low != high) {
            high = low + ((high - low) >>> 1);
            rebuild(entries.length, true);
        }
        if (count > keep) {
            // Copies of one content: to know which of them were met is for the report only.
            rebuild(entries.length, false);
        }
    }

    private void rebuild(int length, boolean withCopies) {
        long[] old = entries;
        entries = new long[length];
        count = 0;
        for (int slot = 0; slot < old.length; slot += WORDS) {
            if (old[slot + DATA_OFF] == 0 || !covers(old[slot + FINGERPRINT])) {
                continue;
            }
            if (!withCopies && (old[slot + OFFSET] & IS_COPY) != 0) {
                forgottenBytes += 1L << (old[slot + DATA_OFF] & 63);
                continue;
            }
            int to = slotOf(entries, old[slot + FINGERPRINT]);
            while (entries[to + DATA_OFF] != 0) {
                to = next(entries, to);
            }
            System.arraycopy(old, slot, entries, to, WORDS);
            count++;
        }
    }

    private int slots() {
        return entries.length / WORDS;
    }

    private StoredBlock block(int slot) {
        return new StoredBlock(entries[slot + INUM], entries[slot + OFFSET] & OFFSET_MASK, entries[slot + DATA_OFF]);
    }

    private static void put(long[] entries, int slot, long fingerprint, StoredBlock block, boolean isCopy) {
        entries[slot + FINGERPRINT] = fingerprint;
        entries[slot + DATA_OFF] = block.dataOff();
        entries[slot + INUM] = block.inum();
        entries[slot + OFFSET] = (block.offset() & OFFSET_MASK) | (isCopy ? IS_COPY : 0);
    }

    private static int slotOf(long[] entries, long fingerprint) {
        int mask = entries.length / WORDS - 1;
        return ((int) ((fingerprint * MIX) >>> 32) & mask) * WORDS;
    }

    private static int next(long[] entries, int slot) {
        return slot + WORDS == entries.length ? 0 : slot + WORDS;
    }
}
