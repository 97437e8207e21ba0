package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.IndirectBlock;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.NameText;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * The path of an inode of one PFS, found by going from parent to parent on the media, so that a verification need not keep
 * every name. Reports nothing and gives up early: a path is a help for whoever reads a report.
 */
final class PathFinder {
    /** Blocks that one path may cost. */
    private static final int BLOCKS_MAX = 5_000;

    private static final int LEVELS_MAX = 1_024;

    private final BlockLoader loader;
    private final InodeBlock root;
    private int blocksLeft;

    PathFinder(BlockLoader loader, InodeBlock root) {
        this.loader = loader;
        this.root = root;
    }

    /** The path, printable, or null where damage or a bound is in the way. */
    String of(long inum) {
        blocksLeft = BLOCKS_MAX;
        Deque<String> names = new ArrayDeque<>();
        Set<Long> seen = new HashSet<>();
        long at = inum;
        while (at != InodeBlock.ROOT_INUM) {
            if (!seen.add(at) || names.size() >= LEVELS_MAX) {
                return null;
            }
            InodeBlock inode = inode(at);
            if (inode == null) {
                return null;
            }
            long parent = inode.iparent();
            InodeBlock directory = parent == InodeBlock.ROOT_INUM ? root : inode(parent);
            if (directory == null || directory.isDirectData()) {
                return null;
            }
            String name = nameIn(directory.blockSet(), at, 1);
            if (name == null) {
                return null;
            }
            names.addFirst(name);
            at = parent;
        }
        return "/" + String.join("/", names);
    }

    private InodeBlock inode(long inum) {
        BlockRef ref = lookup(root.blockSet(), inum, 1);
        MemorySegment bytes = ref == null ? null : load(ref);
        return bytes == null || bytes.byteSize() != Limits.INODE_BYTES ? null : copy(bytes);
    }

    private static InodeBlock copy(MemorySegment bytes) {
        return new InodeBlock(
                MemorySegment.ofArray(new byte[Limits.INODE_BYTES]).copyFrom(bytes));
    }

    private BlockRef lookup(BlockTable table, long inum, int depth) {
        for (int slot = 0; slot < table.slotCount() && depth <= Limits.TREE_DEPTH_MAX; slot++) {
            int type = table.typeCode(slot);
            if (type == BlockType.INODE.code() && table.key(slot) == inum) {
                return table.ref(slot);
            }
            if (type == BlockType.INDIRECT.code()
                    && Key.lessOrEqual(table.key(slot), inum)
                    && Key.lessOrEqual(inum, table.keyEnd(slot))) {
                MemorySegment bytes = load(table.ref(slot));
                return bytes == null ? null : lookup(new IndirectBlock(bytes).table(), inum, depth + 1);
            }
        }
        return null;
    }

    private String nameIn(BlockTable table, long inum, int depth) {
        if (depth > Limits.TREE_DEPTH_MAX) {
            return null;
        }
        // The table may lie in the reader's buffer, which the next block overwrites.
        BlockTable stable = BlockTable.of(MemorySegment.ofArray(new byte[table.slotCount() * BlockRef.BYTES])
                .copyFrom(table.segment().asSlice(table.offset(0), (long) table.slotCount() * BlockRef.BYTES)));
        for (int slot = 0; slot < stable.slotCount(); slot++) {
            int type = stable.typeCode(slot);
            String name = null;
            if (type == BlockType.DIRENT.code()
                    && DirectoryEntry.of(stable, slot).inum() == inum) {
                name = name(stable, slot);
            } else if (type == BlockType.INDIRECT.code() && stable.keyEnd(slot) < 0) {
                MemorySegment bytes = load(stable.ref(slot));
                name = bytes == null ? null : nameIn(new IndirectBlock(bytes).table(), inum, depth + 1);
            }
            if (name != null) {
                return name;
            }
        }
        return null;
    }

    private String name(BlockTable table, int slot) {
        DirectoryEntry entry = DirectoryEntry.of(table, slot);
        if (entry.nameBytes() == 0 || entry.nameBytes() > Limits.NAME_BYTES_MAX) {
            return null;
        }
        if (entry.isNameEmbedded()) {
            return NameText.of(entry.embeddedName().toArray(ValueLayout.JAVA_BYTE));
        }
        MemorySegment bytes = load(table.ref(slot));
        return bytes == null
                ? null
                : NameText.of(bytes.asSlice(0, entry.nameBytes()).toArray(ValueLayout.JAVA_BYTE));
    }

    private MemorySegment load(BlockRef ref) {
        boolean possible = ref.radix() >= Limits.RADIX_MIN && ref.radix() <= Limits.RADIX_MAX && ref.offsetBytes() >= 0;
        return possible && blocksLeft-- > 0 ? loader.loadQuietly(ref) : null;
    }
}
