package io.hammer2.fs.fsck;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.fsck.FsckResult.PfsReport;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Supplier;

/**
 * One PFS. Its index is walked first, in the order of the inode numbers, and with it the files; the entries of the root
 * directory follow in the same tree, and then the other directories, when every inode that an entry can name is known.
 */
final class PfsCheck implements AutoCloseable {
    private static final Set<BlockType> INDEX = EnumSet.of(BlockType.INODE, BlockType.DIRENT, BlockType.INDIRECT);
    private static final Set<BlockType> DIRECTORY = EnumSet.of(BlockType.DIRENT, BlockType.INDIRECT);
    private static final Set<BlockType> NOTHING = EnumSet.noneOf(BlockType.class);
    private static final int METHOD_MASK = 0x0F;
    private static final int INODE_NAME_BYTES_MAX = 256;

    private final Context context;
    private final Reporter reporter;
    private final String name;
    private final BlockRef rootRef;
    private final InodeBlock root;
    private final FileCheck files;
    private final Namespace namespace;
    private final PathFinder paths;
    private final Arena arena = Arena.ofConfined();
    private final InodeBlock inode = new InodeBlock(arena.allocate(Limits.INODE_BYTES));
    private long fileCount;
    private long otherCount;
    private long fileBytes;

    /**
     * Prepares the verification.
     *
     * @param name of the PFS, printable
     * @param root its root inode, in a segment that nobody else changes
     */
    PfsCheck(Context context, String name, BlockRef rootRef, InodeBlock root) {
        this.context = context;
        this.reporter = context.reporter();
        this.name = name;
        this.rootRef = rootRef;
        this.root = root;
        this.files = new FileCheck(context);
        this.paths = new PathFinder(context.loader(), root);
        this.namespace = new Namespace(context, name, paths);
    }

    /** Verifies the PFS. */
    PfsReport check() {
        long before = reporter.problemCount();
        context.totals().inodes++;
        namespace.addRoot(root, rootRef);
        if (root.isDirectData()) {
            reporter.problem(
                    ProblemCode.PFS, name + ": the root inode holds direct data instead of its tables", rootRef);
        } else {
            Place place = Place.root(name + " root", 0, -1L, rootRef.mirrorTid());
            Tally tally = context.walker().walk(root.blockSet(), place, new Index());
            tally.compare(rootRef, name + " root", reporter);
        }
        for (int directory = 1; directory < namespace.directories().count(); directory++) {
            directory(directory);
        }
        namespace.finish(root);
        return new PfsReport(
                name,
                root.pfsTypeCode(),
                root.pfsSubtype(),
                root.pfsClid(),
                root.pfsFsid(),
                root.pfsInum(),
                root.pfsLsnapTid(),
                namespace.inodes().count(),
                fileCount,
                namespace.directories().count() - 1,
                otherCount,
                fileBytes,
                reporter.problemCount() - before);
    }

    @Override
    public void close() {
        files.close();
        arena.close();
    }

    /** The tree of the root inode: the index of all inodes, and the entries of the root directory. */
    private final class Index implements TreeWalker.Visitor {
        private final Namespace.Entries entries = namespace.entriesOf(0);

        @Override
        public Set<BlockType> allowed() {
            return INDEX;
        }

        @Override
        public boolean readsLeaves() {
            return true;
        }

        @Override
        public void leaf(BlockRef ref, Place place) {
            if (ref.type() == BlockType.INODE) {
                inode(ref);
            } else {
                entries.entry(ref);
            }
        }

        @Override
        public void entryLost() {
            namespace.markEntriesLost();
        }

        @Override
        public void indirectLost(BlockRef ref) {
            if (ref.key() >= 0) {
                namespace.markIndexLost();
            } else {
                namespace.markEntriesLost();
            }
        }
    }

    /** The tree of another directory. */
    private final class Directory implements TreeWalker.Visitor {
        private final Namespace.Entries entries;
        private final Supplier<String> path;

        Directory(int directory) {
            this.entries = namespace.entriesOf(directory);
            this.path = () -> pathOf(namespace.directories().inum(directory));
        }

        @Override
        public Set<BlockType> allowed() {
            return DIRECTORY;
        }

        @Override
        public boolean readsLeaves() {
            return true;
        }

        @Override
        public void leaf(BlockRef ref, Place place) {
            entries.entry(ref);
        }

        @Override
        public void entryLost() {
            namespace.markEntriesLost();
        }

        @Override
        public void indirectLost(BlockRef ref) {
            namespace.markEntriesLost();
        }

        @Override
        public Supplier<String> path() {
            return path;
        }
    }

    /** The table of an object that has no blocks. */
    private static final class Empty implements TreeWalker.Visitor {
        @Override
        public Set<BlockType> allowed() {
            return NOTHING;
        }

        @Override
        public boolean readsLeaves() {
            return false;
        }

        @Override
        public void leaf(BlockRef ref, Place place) {
            throw new AssertionError("nothing is allowed here");
        }
    }

    private String pathOf(long inum) {
        return context.options().findPaths() ? paths.of(inum) : null;
    }

    private void inode(BlockRef ref) {
        String where = where(ref.key());
        MemorySegment bytes = context.loader().load(ref, where);
        if (bytes == null) {
            namespace.addLost(ref.key());
            return;
        }
        context.totals().inodes++;
        context.storage().mark(ref, BlockMap.VERIFIED);
        inode.bytes().copyFrom(bytes);
        if (inode.inum() != ref.key()) {
            problem(where, "it says that its number is " + hex(inode.inum()), ref);
            return;
        }
        if (inode.inum() == InodeBlock.ROOT_INUM) {
            problem(where, "the number of the root directory is used twice", ref);
            return;
        }
        attributes(where, ref);
        int type = inode.typeCode();
        int index = namespace.inodes().add(inode.inum(), type, inode.nlinks());
        FileType known = FileType.ofOrNull(type);
        if (known == FileType.DIRECTORY) {
            namespace.addDirectory(index, inode, ref);
        } else if (known == FileType.REGULAR) {
            fileCount++;
            fileBytes += inode.sizeBytes();
        } else {
            otherCount++;
        }
        if (inode.isDirectData()) {
            directData(where, known, ref);
        } else if (known != null && known.hasData()) {
            long inum = inode.inum();
            files.check(ref, inode, where, () -> pathOf(inum));
        } else if (known != FileType.DIRECTORY) {
            Place place = Place.root(where, 0, -1L, ref.mirrorTid());
            context.walker().walk(inode.blockSet(), place, new Empty()).compare(ref, where, reporter);
        }
    }

    private void attributes(String where, BlockRef ref) {
        if (inode.version() != InodeBlock.VERSION) {
            problem(where, "version " + inode.version(), ref);
        }
        if (FileType.ofOrNull(inode.typeCode()) == null) {
            problem(where, "object type " + inode.typeCode(), ref);
        }
        if (inode.isPfsRoot() || ref.isPfsRoot()) {
            problem(where, "the PFSROOT flag on an ordinary inode", ref);
        }
        if (inode.nameBytes() > INODE_NAME_BYTES_MAX) {
            problem(where, "a name of " + inode.nameBytes() + " bytes", ref);
        }
        if (!CheckCode.isKnown(inode.checkAlgo() & METHOD_MASK) || !isCompression(inode.compAlgo() & METHOD_MASK)) {
            problem(where, "check_algo " + inode.checkAlgo() + ", comp_algo " + inode.compAlgo(), ref);
        }
    }

    private boolean isCompression(int method) {
        return Compression.isKnown(method)
                && (method != Compression.ZSTD.code() || (context.extensions() & VolumeHeader.EXTENSION_ZSTD) != 0);
    }

    private void directData(String where, FileType type, BlockRef ref) {
        if (type == null || !type.hasData()) {
            problem(where, "direct data in an object of type " + inode.typeCode(), ref);
        }
        if (Key.less(Limits.DIRECT_DATA_BYTES, inode.sizeBytes())) {
            problem(where, "direct data and a size of " + Long.toUnsignedString(inode.sizeBytes()) + " bytes", ref);
        }
        new Tally().compare(ref, where, reporter);
    }

    private void directory(int directory) {
        DirectoryTable table = namespace.directories();
        BlockRef ref = BlockRef.builder(BlockType.INODE)
                .dataOff(table.dataOff(directory))
                .build();
        String where = where(table.inum(directory));
        MemorySegment bytes = context.loader().loadVerified(ref);
        if (bytes == null) {
            reporter.problem(ProblemCode.READ, where + ": cannot read again " + Place.label(ref), ref);
            namespace.markEntriesLost();
            return;
        }
        inode.bytes().copyFrom(bytes);
        if (inode.isDirectData()) {
            return;
        }
        BlockTable entries = inode.blockSet();
        Place place = Place.root(where, Key.DIRENT_BIT, -1L, table.mirrorTid(directory));
        long before = reporter.problemCount();
        Tally tally = context.walker().walk(entries, place, new Directory(directory));
        tally.compare(table.dataCount(directory), table.inodeCount(directory), where, reporter);
        if (reporter.problemCount() == before) {
            context.storage().mark(ref, BlockMap.WALKED);
        }
    }

    private void problem(String where, String text, BlockRef ref) {
        long inum = ref.key();
        reporter.problem(ProblemCode.INODE, where + ": " + text, ref, () -> pathOf(inum));
    }

    private String where(long inum) {
        return name + " inode " + hex(inum);
    }

    static String hex(long inum) {
        return "0x" + Long.toHexString(inum);
    }
}
