package io.hammer2.fs.fsck;

import io.hammer2.fs.codec.CodecException;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.Decompressor;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Supplier;

/** Blocks of files and symbolic links (format section 11). */
final class FileCheck implements AutoCloseable {
    private static final Set<BlockType> ALLOWED = EnumSet.of(BlockType.DATA, BlockType.INDIRECT);

    private final Context context;
    private final Decompressor decompressor = new Decompressor();
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment logical = arena.allocate(Limits.BLOCK_BYTES_MAX);

    FileCheck(Context context) {
        this.context = context;
    }

    @Override
    public void close() {
        decompressor.close();
        arena.close();
    }

    /**
     * Verifies the blocks of a file.
     *
     * @param ref the reference to its inode
     * @param where names the file in messages
     */
    void check(BlockRef ref, InodeBlock inode, Object where, Supplier<String> path) {
        Reporter reporter = context.reporter();
        Place place = Place.root(where, 0, -1L, ref.mirrorTid());
        Tally tally = null;
        if (context.storage().has(ref, BlockMap.WALKED)) {
            tally = again(inode.blockSet(), ref);
        }
        if (tally == null) {
            long before = reporter.problemCount();
            tally = context.walker().walk(inode.blockSet(), place, new Blocks(inode.sizeBytes(), where, path));
            if (reporter.problemCount() == before) {
                context.storage().mark(ref, BlockMap.WALKED);
            }
        } else {
            context.totals().shared++;
        }
        tally.compare(ref, where, reporter);
    }

    /**
     * The same inode block was walked for another reference: what is below its table has the same meaning. Only the
     * reference's own transaction id may be too low for the table.
     *
     * @return what the table adds up to, or null if the tree must be walked
     */
    private static Tally again(BlockTable table, BlockRef ref) {
        Tally tally = new Tally();
        for (int slot = 0; slot < table.slotCount(); slot++) {
            if (!table.isEmpty(slot)) {
                tally.add(table.ref(slot));
            }
        }
        return Key.lessOrEqual(tally.mirrorTidMax(), ref.mirrorTid()) ? tally : null;
    }

    /** The tree of one file. */
    private final class Blocks implements TreeWalker.Visitor {
        private final long sizeBytes;
        private final Object where;
        private final Supplier<String> path;

        Blocks(long sizeBytes, Object where, Supplier<String> path) {
            this.sizeBytes = sizeBytes;
            this.where = where;
            this.path = path;
        }

        @Override
        public Set<BlockType> allowed() {
            return ALLOWED;
        }

        @Override
        public boolean readsLeaves() {
            return context.options().readData();
        }

        @Override
        public Supplier<String> path() {
            return path;
        }

        @Override
        public boolean isKnown(BlockRef ref, Place place, Tally tally) {
            boolean known = context.storage().has(ref, BlockMap.WALKED)
                    && context.memo().isRightFor(ref, place, sizeBytes, tally)
                    && context.loader().loadQuietly(ref) != null;
            context.totals().shared += known ? 1 : 0;
            return known;
        }

        @Override
        public void indirectClean(BlockRef ref, Tally below) {
            context.memo().put(ref, below);
        }

        @Override
        public void leaf(BlockRef ref, Place place) {
            context.totals().dataBlocks++;
            if (Key.lessOrEqual(sizeBytes, ref.key())) {
                context.reporter()
                        .problem(
                                ProblemCode.DATA,
                                where + ": a block beyond the end of the file of " + Long.toUnsignedString(sizeBytes)
                                        + " bytes: " + Place.label(ref),
                                ref,
                                path);
            }
            if (!context.options().readData()) {
                return;
            }
            MemorySegment bytes = context.loader().load(ref, where, path);
            if (bytes == null) {
                return;
            }
            context.storage().mark(ref, BlockMap.VERIFIED);
            if (context.options().deep()) {
                decompress(ref, bytes);
            }
        }

        private void decompress(BlockRef ref, MemorySegment bytes) {
            try {
                decompressor.decompress(Compression.of(ref.compressionMethod()), bytes, logical);
            } catch (CodecException e) {
                context.reporter()
                        .problem(ProblemCode.DATA, where + ": " + e.getMessage() + ": " + Place.label(ref), ref, path);
            }
        }
    }
}
