package io.hammer2.fs.recover;

import io.hammer2.fs.codec.Xxh64;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.recover.RootScan.PfsVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Recovers files and directories from raw media. Each version of a PFS's root that is still there shows a whole state of the PFS, as far as its
 * blocks were not used again: nothing is overwritten when it is changed or deleted. They are walked from the newest to the oldest; afterwards
 * come inodes that no root leads to.
 */
public final class Salvage implements AutoCloseable {
    /** Where inodes go that have no name any more. */
    public static final String LOST_FOUND = "lost+found";

    private static final int ROOTS_MAX = 1 << 16;
    private static final int PATH_DEPTH_MAX = 256;
    private static final long SET_BYTES_MAX = 32L << 20;

    private final RawMedium medium;
    private final SalvageSink sink;
    private final Wanted wanted;
    private final TreeReader trees;
    private final FileContent contents;
    private final RootScan scan;

    /** Inodes that were handed over or looked at: their references. */
    private final LongSet reached = new LongSet(SET_BYTES_MAX);

    /** Directories of the root that is being walked, by number: a hostile volume may make circles of them. */
    private final LongSet entered = new LongSet(SET_BYTES_MAX);

    /**
     * What is to be recovered.
     *
     * @param path names from the root of a PFS if {@code isAnchored}, else the end of a path in any directory; empty for everything
     * @param filesOnly directories of that name are passed over
     */
    public record Wanted(List<byte[]> path, boolean isAnchored, boolean filesOnly) {}

    private Salvage(RawMedium medium, Wanted wanted, SalvageSink sink) {
        this.medium = medium;
        this.wanted = wanted;
        this.sink = sink;
        this.trees = new TreeReader(medium);
        this.contents = new FileContent(medium, trees);
        this.scan = new RootScan(medium, sink);
    }

    /**
     * Recovers.
     *
     * @return how many versions of roots were found
     * @throws IOException of the sink; what of the medium cannot be read is damage
     */
    public static int run(RawMedium medium, Wanted wanted, SalvageSink sink) throws IOException {
        try (Salvage salvage = new Salvage(medium, wanted, sink)) {
            return salvage.run();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private int run() throws IOException {
        List<PfsVersion> roots = scan.roots(ROOTS_MAX);
        int done = 0;
        for (PfsVersion root : roots) {
            sink.progress("recovering", done++, roots.size());
            entered.clear();
            List<byte[]> path = new ArrayList<>(List.of(root.inode().name()));
            boolean all = wanted.path().isEmpty();
            if (all) {
                sink.directory(path, root.inode());
            }
            walk(root, root.inode(), path, all);
        }
        if (wanted.path().isEmpty() && !wanted.filesOnly()) {
            findLost();
        }
        return roots.size();
    }

    private void walk(PfsVersion root, InodeBlock directory, List<byte[]> path, boolean inside) throws IOException {
        long damaged = trees.walk(directory.blockSet(), Key.DIRENT_BIT, -1L, BlockType.DIRENT, ref -> {
            try {
                entry(root, ref, path, inside);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        if (damaged > 0 && inside) {
            sink.missing(path, damaged);
        }
    }

    private void entry(PfsVersion root, BlockRef ref, List<byte[]> path, boolean inside) throws IOException {
        DirectoryEntry entry = DirectoryEntry.of(ref);
        byte[] name = name(entry, ref);
        if (name == null) {
            if (inside) {
                sink.missing(path, 1);
            }
            return;
        }
        path.addLast(name);
        try {
            boolean isMatch = inside || matches(path);
            if (isMatch || leadsToMatch(path)) {
                object(root, entry, path, isMatch, inside);
            }
        } finally {
            path.removeLast();
        }
    }

    private void object(PfsVersion root, DirectoryEntry entry, List<byte[]> path, boolean isMatch, boolean inside)
            throws IOException {
        FileType claimed = FileType.ofOrNull(entry.objectTypeCode());
        if (!isMatch && claimed != FileType.DIRECTORY) {
            return;
        }
        BlockRef ref = trees.find(root.inode().blockSet(), entry.inum(), BlockType.INODE);
        InodeBlock inode = ref == null || ref.key() != entry.inum() ? null : scan.inode(ref);
        if (inode == null) {
            if (isMatch) {
                sink.missing(path, 1);
            }
            return;
        }
        reached.add(identity(ref));
        if (inode.type() != FileType.DIRECTORY) {
            if (isMatch) {
                sink.file(path, inode, into -> contents.read(inode, into));
            }
            return;
        }
        boolean takes = isMatch && (inside || !wanted.filesOnly());
        if (path.size() > PATH_DEPTH_MAX || inode.isDirectData() || entered.isFull() || !entered.add(inode.inum())) {
            if (takes) {
                sink.missing(path, 1);
            }
            return;
        }
        if (takes) {
            sink.directory(path, inode);
        }
        walk(root, inode, path, takes);
    }

    /** @param path the PFS, then the names */
    private boolean matches(List<byte[]> path) {
        List<byte[]> names = wanted.path();
        int from = path.size() - names.size();
        if (from < 1 || (wanted.isAnchored() && from != 1)) {
            return false;
        }
        for (int i = 0; i < names.size(); i++) {
            if (!Arrays.equals(names.get(i), path.get(from + i))) {
                return false;
            }
        }
        return true;
    }

    private boolean leadsToMatch(List<byte[]> path) {
        if (!wanted.isAnchored()) {
            return true;
        }
        int depth = path.size() - 1;
        return depth < wanted.path().size() && Arrays.equals(wanted.path().get(depth - 1), path.get(depth));
    }

    /** @return null when it is damaged */
    private byte[] name(DirectoryEntry entry, BlockRef ref) {
        try {
            entry.validate();
            if (entry.isNameEmbedded()) {
                return entry.embeddedName().toArray(ValueLayout.JAVA_BYTE);
            }
            byte[] block = medium.load(ref);
            return block == null ? null : Arrays.copyOf(block, entry.nameBytes());
        } catch (CorruptBlockException e) {
            return null;
        }
    }

    private void findLost() throws IOException {
        scan.inodes(ref -> {
            if (!reached.add(identity(ref))) {
                return;
            }
            InodeBlock inode = scan.inode(ref);
            if (inode == null || inode.inum() != ref.key() || !inode.type().hasData()) {
                return;
            }
            List<byte[]> path = List.of(
                    LOST_FOUND.getBytes(StandardCharsets.UTF_8),
                    ("0x" + Key.text(ref.key())).getBytes(StandardCharsets.UTF_8));
            try {
                sink.file(path, inode, into -> contents.read(inode, into));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** The same inode is referred to from many copies of tables, which differ in what is none of its business. */
    private static long identity(BlockRef ref) {
        return LongSet.mix(ref.dataOff() ^ LongSet.mix(Xxh64.hash(ref.check())));
    }

    /**
     * What makes a version of a file another one: its content, and not its times, names and owners. Blocks are never overwritten, so the same
     * references lead to the same content.
     */
    public static long contentIdentity(InodeBlock inode) {
        MemorySegment content = inode.bytes().asSlice(inode.bytes().byteSize() / 2);
        return LongSet.mix(
                Xxh64.hash(content) ^ LongSet.mix(inode.sizeBytes() * FileType.values().length + inode.typeCode()));
    }

    @Override
    public void close() {
        contents.close();
    }
}
