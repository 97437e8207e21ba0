package io.hammer2.fs.fsck;

import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.IndirectBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Walks the tree below one block table, in the order of the keys: verifies every table and indirect block and the references
 * in them, and hands the leaves to a visitor. Recursion is as deep as the tree, which is bounded; the work is bounded too,
 * also where a hostile table refers to itself, because the ranges on a path only become narrower.
 */
final class TreeWalker {
    /** Blocks of a table that are asked for before they are needed. */
    private static final int AHEAD_COUNT = 8;

    private final Reporter reporter;
    private final TableCheck tables;
    private final Storage storage;
    private final BlockLoader loader;
    private final int extensions;
    private long indirectCount;
    private long zstdCount;

    /** What a kind of tree consists of, and what becomes of its leaves. */
    interface Visitor {
        /** Types that the tables may hold. */
        Set<BlockType> allowed();

        /** Whether leaves have blocks that {@link #leaf} will load. */
        boolean readsLeaves();

        /** An acceptable reference to an inode, to data or of a directory entry. */
        void leaf(BlockRef ref, Place place);

        /** A directory entry was left out because its parts contradict each other. */
        default void entryLost() {}

        /** An indirect block could not be read. */
        default void indirectLost(BlockRef ref) {}

        /** Whether what is below an indirect block was walked before, and means the same here; then {@code tally} covers it. */
        default boolean isKnown(BlockRef ref, Place place, Tally tally) {
            return false;
        }

        /** All below an indirect block was walked without a problem. */
        default void indirectClean(BlockRef ref, Tally below) {}

        /** Whether the counters of references to indirect blocks must be right. */
        default boolean countersKept() {
            return true;
        }

        /** Path of what the tree belongs to; null if unknown. */
        default Supplier<String> path() {
            return null;
        }
    }

    /** @param extensions of the volume, a mask */
    TreeWalker(Reporter reporter, TableCheck tables, Storage storage, BlockLoader loader, int extensions) {
        this.reporter = reporter;
        this.tables = tables;
        this.storage = storage;
        this.loader = loader;
        this.extensions = extensions;
    }

    /** Data blocks met so far that are compressed with zstd. */
    long zstdCount() {
        return zstdCount;
    }

    /** Indirect blocks read so far. */
    long indirectCount() {
        return indirectCount;
    }

    /** Walks what is below {@code table} and returns what its entries add up to. The table may lie in a reader's buffer. */
    Tally walk(BlockTable table, Place place, Visitor visitor) {
        Tally tally = new Tally();
        if (place.depth() > Limits.TREE_DEPTH_MAX) {
            reporter.problem(
                    ProblemCode.DEPTH, place + ": more than " + Limits.TREE_DEPTH_MAX + " levels", place.container());
            tally.markPartial();
            return tally;
        }
        long before = reporter.problemCount();
        List<BlockRef> refs = tables.accept(table, place, visitor.allowed());
        if (reporter.problemCount() != before) {
            tally.markPartial();
        }
        for (int i = 0; i < refs.size(); i++) {
            readAhead(refs, i, visitor);
            BlockRef ref = refs.get(i);
            reporter.onReference();
            if (!follow(ref, place, visitor)) {
                tally.markPartial();
                continue;
            }
            tally.add(ref);
            if (ref.type() == BlockType.INDIRECT) {
                indirect(ref, place, visitor, tally);
            } else {
                tally.cover(ref.key(), ref.keyEnd());
                visitor.leaf(ref, place);
            }
        }
        return tally;
    }

    private void readAhead(List<BlockRef> refs, int at, Visitor visitor) {
        int from = at == 0 ? 1 : at + AHEAD_COUNT;
        for (int i = from; i <= at + AHEAD_COUNT && i < refs.size(); i++) {
            BlockRef ref = refs.get(i);
            if ((ref.type() == BlockType.INDIRECT || visitor.readsLeaves()) && ref.radix() <= Limits.RADIX_MAX) {
                loader.expect(ref);
            }
        }
    }

    private void indirect(BlockRef ref, Place place, Visitor visitor, Tally tally) {
        if (visitor.isKnown(ref, place, tally)) {
            return;
        }
        long before = reporter.problemCount();
        MemorySegment bytes = loader.load(ref, place, visitor.path());
        if (bytes == null) {
            visitor.indirectLost(ref);
            return;
        }
        indirectCount++;
        Place below = place.below(ref);
        Tally inside = walk(new IndirectBlock(bytes).table(), below, visitor);
        if (visitor.countersKept()) {
            inside.compare(ref, below, reporter);
        }
        if (inside.isEmpty()) {
            inside.cover(ref.key(), ref.keyEnd());
        }
        tally.cover(inside);
        if (reporter.problemCount() == before) {
            storage.mark(ref, BlockMap.VERIFIED | BlockMap.WALKED);
            visitor.indirectClean(ref, inside);
        }
    }

    /** Verifies a reference by itself. Whether it is one that can be followed. */
    private boolean follow(BlockRef ref, Place place, Visitor visitor) {
        if (Key.less(place.mirrorTidMax(), ref.mirrorTid())) {
            reporter.problem(
                    ProblemCode.TID,
                    place + ": mirror_tid " + Long.toUnsignedString(ref.mirrorTid()) + " is above the parent's "
                            + Long.toUnsignedString(place.mirrorTidMax()) + ": " + Place.label(ref),
                    ref);
        }
        boolean possible = switch (ref.type()) {
            case DIRENT -> dirent(ref, place, visitor);
            case INODE -> require(ref.keybits() == 0 && ref.radix() == Limits.RADIX_MIN, ref, place);
            case DATA -> data(ref, place);
            case INDIRECT -> indirectRef(ref, place, visitor);
            case EMPTY, FREEMAP_NODE, FREEMAP_LEAF, INVALID ->
                throw new AssertionError("no tree of a file system allows " + ref.type());
        };
        return possible && (ref.radix() == 0 || storage.claim(ref, place));
    }

    private boolean dirent(BlockRef ref, Place place, Visitor visitor) {
        require(ref.keybits() == 0, ref, place);
        DirectoryEntry entry = DirectoryEntry.of(ref);
        if ((ref.dataOff() == 0) != entry.isNameEmbedded()) {
            reporter.problem(
                    ProblemCode.DIRENT,
                    place + ": a name of " + entry.nameBytes() + " bytes with data_off " + Key.text(ref.dataOff())
                            + ": " + Place.label(ref),
                    ref);
            visitor.entryLost();
            return false;
        }
        require(ref.dataOff() == 0 || ref.radix() == Limits.RADIX_MIN, ref, place);
        return true;
    }

    private boolean data(BlockRef ref, Place place) {
        require(ref.keybits() == Limits.DATA_KEYBITS, ref, place);
        int method = ref.compressionMethod();
        if (!Compression.isKnown(method) || !Compression.of(method).isEncoding()) {
            reporter.problem(ProblemCode.BREF, place + ": compression method " + method + ": " + Place.label(ref), ref);
        } else if (method == Compression.ZSTD.code()) {
            zstdCount++;
            if ((extensions & VolumeHeader.EXTENSION_ZSTD) == 0) {
                reporter.problem(
                        ProblemCode.BREF,
                        place + ": compressed with zstd, which the header does not allow: " + Place.label(ref),
                        ref);
            }
        }
        return require(ref.radix() != 0, ref, place);
    }

    private boolean indirectRef(BlockRef ref, Place place, Visitor visitor) {
        Set<BlockType> allowed = visitor.allowed();
        if (!require(ref.radix() >= Limits.INDIRECT_RADIX_MIN, ref, place)) {
            return false;
        }
        boolean rootOfPfs = allowed.contains(BlockType.DIRENT) && allowed.contains(BlockType.INODE);
        if (rootOfPfs && ref.key() >= 0 && ref.keyEnd() < 0) {
            reporter.problem(
                    ProblemCode.KEY,
                    place + ": an indirect block that spans inodes and names: " + Place.label(ref),
                    ref);
        }
        return true;
    }

    private boolean require(boolean condition, BlockRef ref, Place place) {
        if (!condition) {
            reporter.problem(
                    ProblemCode.BREF,
                    place + ": " + ref.type() + " with keybits " + ref.keybits() + " and radix " + ref.radix() + ": "
                            + Place.label(ref),
                    ref);
        }
        return condition;
    }
}
