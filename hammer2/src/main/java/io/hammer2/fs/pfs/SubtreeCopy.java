package io.hammer2.fs.pfs;

import io.hammer2.fs.chain.Chain;
import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.InodeContent;
import io.hammer2.fs.inode.InodeFlush;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.PfsType;
import io.hammer2.lwkt.LwktThread;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/**
 * What a directory of a committed PFS leads to, as the content of a PFS of its own, made in small steps: its entries become those of the
 * root directory, and the inodes below it, which are in the index of that PFS (format section 8.2), get an index of their own. On the
 * volume cpu.
 *
 * <p>Data, names and the tables of files and directories are shared, and so is every inode that stays as it is. Written are the index, and
 * inodes that another directory holds now (those directly below), or that have fewer names below the directory than in all.
 *
 * <p>The names are met in the order of the directories and taken into the index in the order of inode numbers, so many at a time: a part of
 * the index is written once for each of these, and memory is bounded. A circle of damaged directories ends when a directory has a second
 * name.
 */
public final class SubtreeCopy implements HeldTables {
    private static final int ENTRIES_PER_YIELD = 256;

    private final Topology topology;
    private final Pace pace;
    private final FrozenPfs source;
    private final InodeContent directory;
    private final long modifyTid;
    private final Chain index;
    private BlockTable written;

    /** Directories on the way to the one that is being read, with it; in each the key from which to go on. */
    private final Deque<Place> places = new ArrayDeque<>();

    private BlockTable entries;

    /** Names to be taken into the index; sorted from {@link #next} on when it is the turn of that. */
    private List<Name> names = new ArrayList<>();

    private int next;
    private boolean isSorted;
    private long nameCount;

    /** A directory that is being read. */
    private record Place(long inum, long nextKey) {}

    /** A name that was met. */
    private record Name(long inum, long parent) {}

    /** An inode to be taken into the index, with its names among those at hand. */
    private record Target(InodeContent inode, List<Name> names) {
        long inum() {
            return inode.block().inum();
        }

        boolean isDirectory() {
            return inode.type() == FileType.DIRECTORY;
        }

        /** Whether it can be shared as it is, if these are all of its names. */
        boolean stays() {
            boolean isHome =
                    names.stream().anyMatch(name -> name.parent == inode.block().iparent());
            return isHome && (isDirectory() || inode.block().nlinks() == names.size());
        }
    }

    /**
     * How much is done at a time.
     *
     * @param namesMax names that are sorted together; each takes some 32 bytes
     * @param namesPerTurn that {@link #collect} adds
     * @param inodesPerTurn that {@link #insert} takes
     */
    public record Pace(int namesMax, int namesPerTurn, int inodesPerTurn) {
        public static final Pace DEFAULT = new Pace(1 << 16, 1 << 12, 1 << 10);
    }

    /** @param directory one of the source, not its root */
    public SubtreeCopy(Topology topology, FrozenPfs source, InodeContent directory, Pace pace) {
        this.topology = topology;
        this.pace = pace;
        this.source = source;
        this.directory = directory;
        this.modifyTid = source.snapshotTid();
        this.written = directory.table();
        this.index = Chain.root(Chain.Kind.DIRECTORY, directory.table());
        places.push(new Place(InodeBlock.ROOT_INUM, Key.DIRENT_BIT));
        entries = directory.table();
    }

    /** What it is made from, and what is made. */
    @Override
    public List<BlockTable> tables() {
        return List.of(source.root().table(), written);
    }

    /** Names met so far. */
    public long nameCount() {
        return nameCount;
    }

    /** Whether all is written but the root. */
    public boolean isComplete() {
        return places.isEmpty() && names.isEmpty();
    }

    /** Whether {@link #insert} is to be called next; else {@link #collect}. */
    public boolean isToBeWritten() {
        return isSorted;
    }

    /** The most that the next {@link #insert} takes of inodes; of the index it takes {@link #changedBytes} after it. */
    public long inodeBytes() {
        return (long) pace.inodesPerTurn * Limits.INODE_BYTES + Limits.FREEMAP_GRANULE_BYTES;
    }

    /**
     * Meets further names. Reads only, with no gate held.
     *
     * @throws CorruptBlockException where a directory below cannot be read
     */
    public void collect() {
        for (int turn = 0; turn < pace.namesPerTurn && !places.isEmpty() && names.size() < pace.namesMax; ) {
            turn += readEntries();
            LwktThread.yieldNow();
        }
        if (places.isEmpty() || names.size() >= pace.namesMax) {
            names.sort(Comparator.comparingLong(Name::inum));
            next = 0;
            isSorted = !names.isEmpty();
        }
    }

    /** Reads some entries of the directory at hand, to the first that is a directory itself. @return how many */
    private int readEntries() {
        Place place = places.pop();
        int count = 0;
        try (Cursor cursor = topology.cursor(entries)) {
            for (boolean more = cursor.seek(place.nextKey); more; more = cursor.next()) {
                if (cursor.type() != BlockType.DIRENT) {
                    throw cursor.unexpected("leaf of a directory", "DIRENT");
                }
                DirectoryEntry entry = cursor.entry().validate();
                names.add(new Name(entry.inum(), place.inum));
                nameCount++;
                count++;
                boolean isDirectory = entry.objectTypeCode() == FileType.DIRECTORY.code();
                if (isDirectory || count == ENTRIES_PER_YIELD) {
                    // The last key of all is followed by none.
                    if (cursor.key() != -1L) {
                        places.push(new Place(place.inum, cursor.key() + 1));
                    }
                    if (isDirectory) {
                        enter(entry.inum());
                    }
                    return count;
                }
            }
        }
        // At its end: on with the one above.
        if (!places.isEmpty()) {
            entries = entriesOf(places.peek().inum);
        }
        return count;
    }

    private void enter(long inum) {
        BlockTable below = entriesOf(inum);
        if (below != null) {
            places.push(new Place(inum, Key.DIRENT_BIT));
            entries = below;
        } else if (!places.isEmpty()) {
            entries = entriesOf(places.peek().inum);
        }
    }

    /** Null where there is no such directory: the entry stays as it is, one that leads nowhere. */
    private BlockTable entriesOf(long inum) {
        if (inum == InodeBlock.ROOT_INUM) {
            return directory.table();
        }
        InodeContent inode = source.find(topology, inum);
        return inode == null || inode.type() != FileType.DIRECTORY ? null : inode.table();
    }

    /** Inodes that the next {@link #insert} takes, read with no gate held. */
    public static final class Turn {
        private final List<Target> targets = new ArrayList<>();

        private Turn() {}
    }

    /** Reads what {@link #insert} then takes; only if {@link #isToBeWritten}. */
    public Turn read() {
        Turn turn = new Turn();
        try (Cursor cursor = topology.cursor(source.root().table())) {
            while (next < names.size() && turn.targets.size() < pace.inodesPerTurn) {
                long inum = names.get(next).inum;
                int from = next;
                while (next < names.size() && names.get(next).inum == inum) {
                    next++;
                }
                InodeContent inode = FrozenPfs.find(topology, cursor, inum);
                if (inode != null) {
                    turn.targets.add(new Target(inode, List.copyOf(names.subList(from, next))));
                }
                if (next % ENTRIES_PER_YIELD == 0) {
                    LwktThread.yieldNow();
                }
            }
        }
        if (next == names.size()) {
            names = new ArrayList<>();
            isSorted = false;
        }
        return turn;
    }

    /**
     * Takes inodes into the index, which {@link #write} is to follow at once.
     *
     * @throws CorruptBlockException when a directory has two names
     */
    public void insert(Turn turn, InodeFlush flush) {
        for (Target target : turn.targets) {
            InodeContent there = inserted(target.inum());
            if (target.isDirectory() && (there != null || target.names.size() > 1)) {
                throw new CorruptBlockException(target.inode.ref(), "names of a directory", "one", "more");
            }
            if (there != null) {
                long nlinks = there.block().nlinks() + target.names.size();
                flush.topology()
                        .replace(
                                index,
                                target.inum(),
                                flush.writeCopy(there, modifyTid, fields -> fields.setNlinks(nlinks)));
            } else {
                flush.topology().insert(index, target.stays() ? target.inode.ref() : moved(target, flush));
            }
        }
    }

    private InodeContent inserted(long inum) {
        try (Cursor cursor = topology.cursor(index)) {
            return FrozenPfs.find(topology, cursor, inum);
        }
    }

    private BlockRef moved(Target target, InodeFlush flush) {
        long home = target.inode.block().iparent();
        boolean isHome = target.names.stream().anyMatch(name -> name.parent == home);
        return flush.writeCopy(target.inode, modifyTid, fields -> {
            fields.setIparent(isHome ? home : target.names.getFirst().parent);
            if (!target.isDirectory()) {
                fields.setNlinks(target.names.size());
            }
        });
    }

    /** Bytes of the index that {@link #write} would write. */
    public long changedBytes() {
        return changedBytes(index);
    }

    private static long changedBytes(Chain chain) {
        long bytes = 0;
        for (int slot = 0; slot < chain.table().entryCount(); slot++) {
            Chain child = chain.child(slot);
            if (child != null) {
                bytes += (long) child.table().slotCount() * BlockRef.BYTES + changedBytes(child);
            }
        }
        return bytes;
    }

    /** Brings what was inserted to the medium: from now on it is in use. */
    public void write(InodeFlush flush) {
        flush.writeBelow(index, directory.ref().methods());
        written = index.table().copy();
    }

    /** The root of a PFS that has all of it, for the key of {@code label}. */
    BlockRef publish(InodeFlush flush, Label label, PfsChange.Ids ids, long key) {
        BlockRef ref = directory.ref().toBuilder()
                .key(key, 0)
                .flags(directory.ref().flags() | BlockRef.FLAG_PFSROOT)
                .build();
        InodeContent root = InodeContent.of(ref, directory.block(), written);
        return flush.writeCopy(root, modifyTid, fields -> {
            fields.setOpFlags(fields.opFlags() | InodeBlock.OP_PFSROOT);
            fields.setInum(InodeBlock.ROOT_INUM);
            fields.setIparent(InodeBlock.ROOT_INUM);
            fields.setName(label.bytes(), key);
            fields.setPfsSubtype(PfsTransaction.SUBTYPE_SNAPSHOT);
            fields.setPfs(PfsType.MASTER, source.root().block().pfsInum(), ids.clid(), ids.fsid());
            fields.setPfsLsnapTid(modifyTid);
            fields.setBlockSet(written);
        });
    }
}
