package io.hammer2.fs;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.chain.TreeDifference;
import io.hammer2.fs.inode.InodeContent;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.NameText;
import io.hammer2.fs.pfs.Pfs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * How two PFSs differ that share most of their blocks, as a PFS and its snapshots do: which paths were added, deleted, renamed, and
 * of which the content or the attributes changed. Inodes are told apart by their numbers, which are given out once (format section 8.3).
 *
 * <p>Takes time and memory for what changed, and reads of what did not only the directories that lead to it, to know their names. Only
 * where a file has changed that lost the name under which it was made, and has another, all directories are looked through.
 */
final class PfsDiff {
    /** A path that is longer is a circle of damaged directories. */
    private static final int PATH_NAMES_MAX = 1 << 12;

    private final TreeDifference trees;
    private final Side before;
    private final Side after;
    private final List<PfsDifference> found = new ArrayList<>();

    /** Inodes that are in both and have changed in what is not their names. */
    private final Set<Long> modified = new HashSet<>();

    private final List<Entry> added = new ArrayList<>();
    private final List<Entry> removed = new ArrayList<>();

    /** What is now under a name that another inode had. */
    private final List<Entry> replaced = new ArrayList<>();

    /** By what they are now, what they were. */
    private final Map<Entry, Entry> renamed = new HashMap<>();

    private PfsDiff(Topology topology, Pfs before, Pfs after) {
        this.trees = new TreeDifference(topology.io());
        this.before = new Side(topology, before.root());
        this.after = new Side(topology, after.root());
    }

    /** Compares two PFSs, on the cpu of {@code topology}. @return by path */
    static List<PfsDifference> compare(Topology topology, Pfs before, Pfs after) {
        return new PfsDiff(topology, before, after).run();
    }

    private List<PfsDifference> run() {
        compareDirectory(before.root, after.root, InodeBlock.ROOT_INUM);
        pairEntries();
        for (long inum : modified) {
            if (!after.names.containsKey(inum) && inum != InodeBlock.ROOT_INUM) {
                after.wanted.add(inum);
            }
        }
        before.nameAll();
        after.nameAll();
        report();
        found.sort(Comparator.comparing(PfsDifference::path));
        return found;
    }

    /** An entry that only one of the two has. */
    private record Entry(long parent, String name, long inum, FileType type) {}

    /** Entries with these inodes, which only this side has, by directory and name, and what is known of directories' names. */
    private static final class Side {
        private final Topology topology;
        private final InodeContent root;
        private final Map<String, Entry> entries = new TreeMap<>();

        /** By inode, names that need not be looked for. */
        private final Map<Long, Entry> names = new HashMap<>();

        private final Set<Long> wanted = new HashSet<>();
        private final Map<Long, InodeContent> inodes = new HashMap<>();
        private final Set<Long> pathKnownUpTo = new HashSet<>();

        private Side(Topology topology, InodeContent root) {
            this.topology = topology;
            this.root = root;
            inodes.put(InodeBlock.ROOT_INUM, root);
        }

        void add(long parent, BlockRef ref) {
            Entry entry = entryOf(parent, ref);
            entries.put(keyOf(entry), entry);
            names.put(entry.inum, entry);
        }

        private static String keyOf(Entry entry) {
            return entry.parent + "/" + entry.name;
        }

        private Entry entryOf(long parent, BlockRef ref) {
            BlockTable table = BlockTable.empty(1);
            table.insert(0, ref);
            DirectoryEntry entry = DirectoryEntry.of(table, 0).validate();
            FileType type = FileType.ofOrNull(entry.objectTypeCode());
            if (entry.isNameEmbedded()) {
                return new Entry(parent, text(entry.embeddedName()), entry.inum(), type);
            }
            CachedBlock block = topology.io().load(ref);
            try {
                return new Entry(parent, text(block.bytes().asSlice(0, entry.nameBytes())), entry.inum(), type);
            } finally {
                topology.io().release(block);
            }
        }

        private static String text(MemorySegment name) {
            return NameText.of(name.toArray(ValueLayout.JAVA_BYTE));
        }

        /** The inode, or null. */
        InodeContent inode(long inum) {
            InodeContent known = inodes.get(inum);
            if (known != null) {
                return known;
            }
            try (Cursor cursor = topology.cursor(root.table())) {
                if (inum < 0 || !cursor.seek(inum) || cursor.key() != inum || cursor.type() != BlockType.INODE) {
                    return null;
                }
                InodeContent loaded = load(cursor.ref()).requireInum(inum);
                inodes.put(inum, loaded);
                return loaded;
            }
        }

        InodeContent load(BlockRef ref) {
            CachedBlock block = topology.io().load(ref);
            try {
                return InodeContent.of(
                        ref, (InodeBlock) block.block(), topology.io().totalBytes());
            } finally {
                topology.io().release(block);
            }
        }

        /** Looks for the names of what is wanted, and of all directories that lead to it and to entries. */
        void nameAll() {
            nameByParents(wanted);
            Set<Long> left = new HashSet<>(wanted);
            left.removeAll(names.keySet());
            if (!left.isEmpty()) {
                // What lost the name under which it was made is not where it says.
                nameAnywhere(left);
            }
            Set<Long> directories = new HashSet<>();
            entries.values().forEach(entry -> directories.add(entry.parent));
            names.values().forEach(entry -> directories.add(entry.parent));
            nameByParents(directories);
        }

        private void nameAnywhere(Set<Long> children) {
            try (Cursor cursor = topology.cursor(root.table())) {
                for (boolean more = cursor.seek(0);
                        more && !children.isEmpty() && cursor.type() == BlockType.INODE;
                        more = cursor.next()) {
                    nameChildren(load(cursor.ref()), children);
                }
            }
            nameChildren(root, children);
        }

        /** By the parents that they say they have, each directory once for each level. */
        private void nameByParents(Set<Long> inums) {
            Set<Long> left = new HashSet<>(inums);
            for (int depth = 0; depth < PATH_NAMES_MAX && !left.isEmpty(); depth++) {
                Map<Long, Set<Long>> byParent = new HashMap<>();
                for (long inum : left) {
                    Entry known = names.get(inum);
                    if (known != null) {
                        byParent.computeIfAbsent(known.parent, parent -> new HashSet<>());
                    } else if (inum != InodeBlock.ROOT_INUM) {
                        InodeContent inode = inode(inum);
                        if (inode != null) {
                            byParent.computeIfAbsent(inode.block().iparent(), parent -> new HashSet<>())
                                    .add(inum);
                        }
                    }
                }
                left.clear();
                byParent.forEach((parent, children) -> {
                    if (!children.isEmpty()) {
                        nameChildren(inode(parent), children);
                    }
                    if (parent != InodeBlock.ROOT_INUM && pathKnownUpTo.add(parent)) {
                        left.add(parent);
                    }
                });
            }
        }

        private void nameChildren(InodeContent directory, Set<Long> children) {
            if (directory == null || directory.type() != FileType.DIRECTORY) {
                return;
            }
            try (Cursor cursor = topology.cursor(directory.table())) {
                for (boolean more = cursor.seek(Key.DIRENT_BIT); more && !children.isEmpty(); more = cursor.next()) {
                    if (cursor.type() == BlockType.DIRENT
                            && children.remove(cursor.entry().inum())) {
                        Entry entry = entryOf(directory.block().inum(), cursor.ref());
                        names.put(entry.inum, entry);
                    }
                }
            }
        }

        String pathOf(Entry entry) {
            StringBuilder path = new StringBuilder(entry.name);
            Entry at = entry;
            for (int depth = 0; at.parent != InodeBlock.ROOT_INUM; depth++) {
                Entry above = names.get(at.parent);
                if (above == null || depth > PATH_NAMES_MAX) {
                    return "(inode " + at.parent + ")/" + path;
                }
                path.insert(0, above.name + "/");
                at = above;
            }
            return "/" + path;
        }

        String pathOf(long inum) {
            Entry entry = names.get(inum);
            return inum == InodeBlock.ROOT_INUM ? "/" : entry == null ? "(inode " + inum + ")" : pathOf(entry);
        }
    }

    /** The entries of a directory, and of the root also the index of all inodes. */
    private void compareDirectory(InodeContent one, InodeContent other, long inum) {
        BlockTable empty = BlockTable.empty(Limits.BLOCK_SET_COUNT);
        if (one != null && other != null && differs(one, other, false)) {
            modified.add(inum);
        }
        trees.compare(one == null ? empty : one.table(), other == null ? empty : other.table(), (was, is) -> {
            BlockRef any = was == null ? is : was;
            if (any.type() == BlockType.INODE) {
                compareInode(was, is, any.key());
                return;
            }
            if (was != null) {
                before.add(inum, was);
            }
            if (is != null) {
                after.add(inum, is);
            }
        });
    }

    private void compareInode(BlockRef was, BlockRef is, long inum) {
        InodeContent one = was == null ? null : before.load(was);
        InodeContent other = is == null ? null : after.load(is);
        if (one != null && other != null && one.type() != other.type()) {
            // Of PFSs that have nothing to do with each other.
            modified.add(inum);
            compareDirectory(directoryOrNull(one), null, inum);
            compareDirectory(null, directoryOrNull(other), inum);
        } else if ((one == null ? other : one).type() == FileType.DIRECTORY) {
            compareDirectory(one, other, inum);
        } else if (one != null && other != null && differs(one, other, true)) {
            modified.add(inum);
        }
    }

    private static InodeContent directoryOrNull(InodeContent inode) {
        return inode.type() == FileType.DIRECTORY ? inode : null;
    }

    /** Whether more than names changed: a time of change that a new link brings, say, does not count. */
    private static boolean differs(InodeContent one, InodeContent other, boolean withContent) {
        InodeBlock a = one.block();
        InodeBlock b = other.block();
        boolean attributes = a.mode() != b.mode()
                || a.uid() != b.uid()
                || a.gid() != b.gid()
                || a.uflags() != b.uflags()
                || a.rmajor() != b.rmajor()
                || a.rminor() != b.rminor();
        return attributes
                || (withContent
                        && (a.sizeBytes() != b.sizeBytes()
                                || a.mtimeMicros() != b.mtimeMicros()
                                || a.directData().mismatch(b.directData()) >= 0));
    }

    /**
     * What only one side has is a new name, a lost one, both of one inode, or another inode of the same name: to those who go by paths
     * that one is modified.
     */
    private void pairEntries() {
        Map<Long, List<Entry>> lost = new HashMap<>();
        for (Entry entry : before.entries.values()) {
            if (!isSame(entry, after.entries.get(Side.keyOf(entry)))) {
                lost.computeIfAbsent(entry.inum, inum -> new ArrayList<>()).add(entry);
            }
        }
        List<Entry> gained = after.entries.values().stream()
                .filter(entry -> !isSame(entry, before.entries.get(Side.keyOf(entry))))
                .toList();
        for (Entry entry : gained) {
            List<Entry> names = lost.get(entry.inum);
            Entry same = before.entries.get(Side.keyOf(entry));
            if (names != null && !names.isEmpty()) {
                renamed.put(entry, names.removeFirst());
            } else if (same != null && same.type == entry.type) {
                replaced.add(entry);
            } else {
                added.add(entry);
            }
        }
        // Of a name that was taken over by another is told what it is now.
        Set<String> taken = new HashSet<>();
        gained.forEach(entry -> taken.add(Side.keyOf(entry)));
        added.forEach(entry -> taken.remove(Side.keyOf(entry)));
        lost.values()
                .forEach(names -> names.stream()
                        .filter(entry -> !taken.contains(Side.keyOf(entry)))
                        .forEach(removed::add));
    }

    /** Whether it is the same name of the same inode, only stored elsewhere, or said to be of another type: no difference of names. */
    private static boolean isSame(Entry entry, Entry sameNameOrNull) {
        return sameNameOrNull != null && sameNameOrNull.inum == entry.inum;
    }

    private void report() {
        Set<Long> told = new HashSet<>();
        for (Entry entry : replaced) {
            told.add(entry.inum);
            put(PfsDifference.Kind.MODIFIED, entry.type, after.pathOf(entry), null);
        }
        added.forEach(entry -> put(PfsDifference.Kind.ADDED, entry.type, after.pathOf(entry), null));
        removed.forEach(entry -> put(PfsDifference.Kind.DELETED, entry.type, before.pathOf(entry), null));
        renamed.forEach((to, from) -> put(PfsDifference.Kind.RENAMED, to.type, before.pathOf(from), after.pathOf(to)));
        for (long inum : modified) {
            if (told.add(inum)) {
                InodeContent inode = after.inode(inum);
                put(PfsDifference.Kind.MODIFIED, inode == null ? null : inode.type(), after.pathOf(inum), null);
            }
        }
    }

    private void put(PfsDifference.Kind kind, FileType type, String path, String newPath) {
        found.add(new PfsDifference(kind, type, path, newPath));
    }
}
