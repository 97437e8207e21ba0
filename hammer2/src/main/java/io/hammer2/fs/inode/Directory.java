package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.DirectoryHash;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The names in a directory, by hash (format section 10). Names are bytes: any but '/' and NUL, case-sensitive. */
public final class Directory {
    /** {@link #lookup} of a name that is not there: no inode has this number below a PFS root. */
    public static final long NONE = 0;

    private final Inode inode;

    Directory(Inode inode) {
        this.inode = inode;
    }

    /**
     * An entry, as it was found.
     *
     * @param type of the target as the entry has it, or null where it names none that exists
     */
    public record Entry(long key, long inum, FileType type) {}

    /** Inode number of the entry with this name, or {@link #NONE}. */
    public long lookup(Topology topology, MemorySegment name) {
        Entry entry = find(topology, name);
        return entry == null ? NONE : entry.inum();
    }

    /** The entry with this name, or null. */
    public Entry find(Topology topology, MemorySegment name) {
        if (name.byteSize() < 1 || name.byteSize() > Limits.NAME_BYTES_MAX) {
            return null;
        }
        long hash = DirectoryHash.of(name);
        long bucketEnd = DirectoryHash.bucketEnd(hash);
        try (Cursor cursor = inode.cursor(topology)) {
            // Every entry of the bucket: where in it a name lies says nothing (section 10.3).
            for (boolean more = cursor.seek(hash);
                    more && Key.lessOrEqual(cursor.key(), bucketEnd);
                    more = cursor.next()) {
                DirectoryEntry entry = entry(cursor);
                if (isNamed(topology, cursor, entry, name)) {
                    return new Entry(cursor.key(), entry.inum(), FileType.ofOrNull(entry.objectTypeCode()));
                }
            }
            return null;
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
        try (Cursor cursor = inode.cursor(topology)) {
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

    public boolean isEmpty(Topology topology) {
        try (Cursor cursor = inode.cursor(topology)) {
            return !cursor.seek(Key.DIRENT_BIT);
        }
    }

    /**
     * Adds an entry. With the gate held exclusively, after {@link Inode#change}.
     *
     * @param name that is not there yet, 1 to 255 bytes; not kept
     * @param mirrorTid of the commit that will have it
     * @return false when 32768 names with the same hash are there
     */
    public boolean insert(Topology topology, MemorySegment name, long inum, FileType type, long mirrorTid) {
        long key = freeKey(topology, DirectoryHash.of(name));
        if (key == 0) {
            return false;
        }
        Changes changes = inode.changes();
        int methods = inode.methods();
        BlockRef.Builder ref = BlockRef.builder(BlockType.DIRENT)
                .key(key, 0)
                .methods(methods >>> 4, methods & 0xF)
                .tids(mirrorTid, changes.modifyTid);
        DirectoryEntry.fill(ref, inum, type, name);
        topology.insert(inode.chain(), ref.build());
        if (name.byteSize() > Limits.NAME_EMBEDDED_BYTES_MAX) {
            changes.longNames.put(key, name.toArray(ValueLayout.JAVA_BYTE));
        }
        return true;
    }

    /** Takes out the entry that was {@link #find found}. With the gate held exclusively, after {@link Inode#change}. */
    public void remove(Topology topology, Entry entry) {
        if (!topology.replace(inode.chain(), entry.key(), null)) {
            throw new IllegalStateException("no entry " + Key.text(entry.key()));
        }
        inode.changes().longNames.remove(entry.key());
    }

    /** Lets an entry name another inode. With the gate held exclusively, after {@link Inode#change}. */
    public void retarget(Topology topology, Entry entry, long inum, FileType type, long mirrorTid) {
        try (Cursor cursor = inode.cursor(topology)) {
            if (!cursor.seek(entry.key()) || cursor.key() != entry.key()) {
                throw new IllegalStateException("no entry " + Key.text(entry.key()));
            }
            BlockRef.Builder ref = cursor.ref().toBuilder().tids(mirrorTid, inode.changes().modifyTid);
            DirectoryEntry.retarget(ref, inum, type);
            topology.replace(inode.chain(), entry.key(), ref.build());
        }
    }

    /** The first key of the bucket that no entry has, or 0. */
    private long freeKey(Topology topology, long hash) {
        long key = hash;
        try (Cursor cursor = inode.cursor(topology)) {
            for (boolean more = cursor.seek(hash); more && cursor.key() == key; more = cursor.next()) {
                key++;
            }
        }
        return Key.lessOrEqual(key, DirectoryHash.bucketEnd(hash)) ? key : 0;
    }

    private boolean give(Topology topology, Cursor cursor, DirectoryEntry entry, long nextCookie, DirectorySink sink) {
        FileType type = FileType.ofOrNull(entry.objectTypeCode());
        if (entry.isNameEmbedded()) {
            return sink.entry(entry.inum(), type, entry.embeddedName(), nextCookie);
        }
        byte[] unwritten = unwrittenName(cursor);
        if (unwritten != null) {
            return sink.entry(entry.inum(), type, MemorySegment.ofArray(unwritten), nextCookie);
        }
        CachedBlock block = cursor.load();
        try {
            return sink.entry(entry.inum(), type, block.bytes().asSlice(0, entry.nameBytes()), nextCookie);
        } finally {
            topology.io().release(block);
        }
    }

    /** The name of an entry whose name block no flush has written yet; else null. */
    private byte[] unwrittenName(Cursor cursor) {
        Changes changes = inode.changes();
        return changes == null || changes.longNames.isEmpty() ? null : changes.longNames.get(cursor.key());
    }

    private boolean isNamed(Topology topology, Cursor cursor, DirectoryEntry entry, MemorySegment name) {
        if (entry.nameBytes() != name.byteSize()) {
            return false;
        }
        if (entry.isNameEmbedded()) {
            return entry.embeddedName().mismatch(name) < 0;
        }
        byte[] unwritten = unwrittenName(cursor);
        if (unwritten != null) {
            return MemorySegment.ofArray(unwritten).mismatch(name) < 0;
        }
        CachedBlock block = cursor.load();
        try {
            return block.bytes().asSlice(0, entry.nameBytes()).mismatch(name) < 0;
        } finally {
            topology.io().release(block);
        }
    }

    private DirectoryEntry entry(Cursor cursor) {
        if (cursor.type() != BlockType.DIRENT) {
            // Inodes embedded in directories went out of use before the format was released in DragonFly 5.0.
            throw cursor.unexpected("leaf of a directory", "DIRENT");
        }
        return unwrittenName(cursor) != null ? cursor.entry() : cursor.entry().validate();
    }
}
