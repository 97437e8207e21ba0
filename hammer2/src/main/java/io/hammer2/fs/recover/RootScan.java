package io.hammer2.fs.recover;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.DirectoryHash;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Searches the raw media for references to inodes: every 128 bytes may be one (format section 4), wherever they lie, and one whose check code is
 * right for what it refers to is one, however old.
 */
final class RootScan {
    private static final int CHUNK_BYTES = 1 << 20;
    private static final int PAGE_BYTES = 4096;

    private final RawMedium medium;
    private final SalvageSink sink;

    RootScan(RawMedium medium, SalvageSink sink) {
        this.medium = medium;
        this.sink = sink;
    }

    /**
     * A version of the root of a PFS.
     *
     * @param ref validated
     */
    record PfsVersion(BlockRef ref, InodeBlock inode) {
        /** The newest first; transactions are numbered (format section 12). */
        static final Comparator<PfsVersion> NEWEST_FIRST = Comparator.comparing(
                        (PfsVersion version) -> version.ref.mirrorTid(), Long::compareUnsigned)
                .thenComparing(version -> version.ref.modifyTid(), Long::compareUnsigned)
                .reversed();
    }

    /**
     * All versions of all roots of PFSs, the newest first.
     *
     * @param max of more than these the newest are kept
     */
    List<PfsVersion> roots(int max) throws IOException {
        PriorityQueue<PfsVersion> kept = new PriorityQueue<>(PfsVersion.NEWEST_FIRST.reversed());
        Set<BlockRef> known = new HashSet<>();
        scan("searching for roots", ref -> {
            // The super-root finds them by the hash of their names; ordinary inodes have bit 63 clear.
            if (ref.key() >= 0 || !known.add(ref)) {
                return;
            }
            InodeBlock inode = inode(ref);
            if (inode == null || !isRoot(ref, inode)) {
                known.remove(ref);
                return;
            }
            kept.add(new PfsVersion(ref, inode));
            if (kept.size() > max) {
                known.remove(kept.remove().ref());
            }
        });
        List<PfsVersion> sorted = new ArrayList<>(kept);
        sorted.sort(PfsVersion.NEWEST_FIRST);
        return sorted;
    }

    private static boolean isRoot(BlockRef ref, InodeBlock inode) {
        if (!inode.isPfsRoot() || inode.inum() != InodeBlock.ROOT_INUM || inode.isDirectData()) {
            return false;
        }
        long hash = DirectoryHash.of(inode.name());
        return Key.lessOrEqual(hash, ref.key()) && Key.lessOrEqual(ref.key(), DirectoryHash.bucketEnd(hash));
    }

    /** References to ordinary inodes whose check codes are right; a reference comes as often as it is found. */
    void inodes(Consumer<BlockRef> found) throws IOException {
        scan("searching for lost files", ref -> {
            if (ref.key() >= InodeBlock.FIRST_ORDINARY_INUM && RawMedium.verifies(ref)) {
                found.accept(ref);
            }
        });
    }

    /** @return null when it is damaged, or none */
    InodeBlock inode(BlockRef ref) {
        byte[] bytes = medium.load(ref);
        if (bytes == null) {
            return null;
        }
        try {
            return new InodeBlock(MemorySegment.ofArray(bytes)).validate();
        } catch (CorruptBlockException e) {
            return null;
        }
    }

    private void scan(String phase, Consumer<BlockRef> candidates) throws IOException {
        long size = medium.sizeBytes();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment chunk = arena.allocate(CHUNK_BYTES, PAGE_BYTES);
            MemorySegment zero = arena.allocate(CHUNK_BYTES, PAGE_BYTES);
            for (long at = 0; at < size; at += CHUNK_BYTES) {
                MemorySegment part = chunk.asSlice(0, Math.min(CHUNK_BYTES, size - at));
                read(at, part);
                // Most of a sparse image is a hole.
                boolean isZero = part.mismatch(zero.asSlice(0, part.byteSize())) < 0;
                for (long offset = 0; !isZero && offset < part.byteSize(); offset += BlockRef.BYTES) {
                    // Nearly all are none, and most of these by the first byte.
                    if (part.get(ValueLayout.JAVA_BYTE, offset) == BlockType.INODE.code()) {
                        BlockRef ref = medium.plausible(part, offset, BlockType.INODE);
                        if (ref != null) {
                            candidates.accept(ref);
                        }
                    }
                }
                sink.progress(phase, at + part.byteSize(), size);
            }
        }
    }

    /** What cannot be read is zero; around it is read page by page. */
    private void read(long at, MemorySegment into) {
        try {
            medium.read(at, into);
        } catch (IOException e) {
            for (long page = 0; page < into.byteSize(); page += PAGE_BYTES) {
                MemorySegment one = into.asSlice(page, PAGE_BYTES);
                try {
                    medium.read(at + page, one);
                } catch (IOException unreadable) {
                    one.fill((byte) 0);
                }
            }
        }
    }
}
