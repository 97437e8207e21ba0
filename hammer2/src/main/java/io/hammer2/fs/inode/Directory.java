package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.DirectoryHash;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;

/**
 * The names in a directory, by hash (format section 10). Names are bytes: any but '/' and NUL, case-sensitive.
 *
 * @param content the directory's inode
 */
public record Directory(InodeContent content) {
    /** {@link #lookup} of a name that is not there: no inode has this number below a PFS root. */
    public static final long NONE = 0;

    /** Inode number of the entry with this name, or {@link #NONE}. */
    public long lookup(Topology topology, MemorySegment name) {
        if (name.byteSize() < 1 || name.byteSize() > Limits.NAME_BYTES_MAX) {
            return NONE;
        }
        long hash = DirectoryHash.of(name);
        long bucketEnd = DirectoryHash.bucketEnd(hash);
        try (Cursor cursor = topology.cursor(content.table())) {
            // Every entry of the bucket: where in it a name lies says nothing (section 10.3).
            for (boolean more = cursor.seek(hash);
                    more && Key.lessOrEqual(cursor.key(), bucketEnd);
                    more = cursor.next()) {
                DirectoryEntry entry = entry(cursor);
                if (isNamed(topology, cursor, entry, name)) {
                    return entry.inum();
                }
            }
            return NONE;
        }
    }

    /**
     * Lists entries in key order, which is the order of their hashes.
     *
     * @param cookie 0, or what an entry's {@code nextCookie} said; entries made or removed meanwhile do not disturb it
     * @return whether the end was reached
     * @throws CorruptBlockException when the next entry cannot be read; entries before it have been given to {@code sink}
     */
    public boolean list(Topology topology, long cookie, DirectorySink sink) {
        if (cookie < 0) {
            return true;
        }
        try (Cursor cursor = topology.cursor(content.table())) {
            for (boolean more = cursor.seek(Key.DIRENT_BIT | cookie); more; more = cursor.next()) {
                DirectoryEntry entry = entry(cursor);
                long nextCookie = (cursor.key() & ~Key.DIRENT_BIT) + 1;
                if (!give(topology, cursor, entry, nextCookie, sink)) {
                    return false;
                }
            }
            return true;
        }
    }

    private static boolean give(
            Topology topology, Cursor cursor, DirectoryEntry entry, long nextCookie, DirectorySink sink) {
        FileType type = FileType.ofOrNull(entry.objectTypeCode());
        if (entry.isNameEmbedded()) {
            return sink.entry(entry.inum(), type, entry.embeddedName(), nextCookie);
        }
        CachedBlock block = cursor.load();
        try {
            return sink.entry(entry.inum(), type, block.bytes().asSlice(0, entry.nameBytes()), nextCookie);
        } finally {
            topology.io().release(block);
        }
    }

    private static boolean isNamed(Topology topology, Cursor cursor, DirectoryEntry entry, MemorySegment name) {
        if (entry.nameBytes() != name.byteSize()) {
            return false;
        }
        if (entry.isNameEmbedded()) {
            return entry.embeddedName().mismatch(name) < 0;
        }
        CachedBlock block = cursor.load();
        try {
            return block.bytes().asSlice(0, entry.nameBytes()).mismatch(name) < 0;
        } finally {
            topology.io().release(block);
        }
    }

    private static DirectoryEntry entry(Cursor cursor) {
        if (cursor.type() != BlockType.DIRENT) {
            // Inodes embedded in directories went out of use before the format was released in DragonFly 5.0.
            throw cursor.unexpected("leaf of a directory", "DIRENT");
        }
        return cursor.entry().validate();
    }
}
