package io.hammer2.fs.fsck;

import static io.hammer2.fs.fsck.PfsCheck.hex;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.DirectoryHash;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.NameText;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * Names and link counts of one PFS: what entries say against what inodes say (format sections 8.5 and 10).
 *
 * <p>What damage hides is not blamed on what is left: while part of the index or an entry could not be read, an inode without
 * an entry proves nothing.
 */
final class Namespace {
    private static final int COLLISION_BITS = 15;
    private static final int UNKNOWN = 0;
    private static final int ENDS = 1;
    private static final int ON_PATH = 2;
    private static final int LOOPS = 3;

    private final Context context;
    private final Reporter reporter;
    private final String pfs;
    private final PathFinder paths;
    private final InodeTable inodes = new InodeTable();
    private final DirectoryTable directories = new DirectoryTable();
    private long[] lost = new long[16];
    private int lostCount;
    private boolean indexLost;
    private boolean entriesLost;

    Namespace(Context context, String pfs, PathFinder paths) {
        this.context = context;
        this.reporter = context.reporter();
        this.pfs = pfs;
        this.paths = paths;
    }

    InodeTable inodes() {
        return inodes;
    }

    DirectoryTable directories() {
        return directories;
    }

    void addRoot(InodeBlock root, BlockRef ref) {
        int index = inodes.add(InodeBlock.ROOT_INUM, FileType.DIRECTORY.code(), root.nlinks());
        addDirectory(index, root, ref, InodeBlock.ROOT_INUM);
        directories.setParent(0, 0);
    }

    void addDirectory(int index, InodeBlock inode, BlockRef ref) {
        addDirectory(index, inode, ref, inode.inum());
    }

    private void addDirectory(int index, InodeBlock inode, BlockRef ref, long inum) {
        directories.add(
                index, inum, ref.dataOff(), ref.mirrorTid(), ref.dataCount(), ref.inodeCount(), inode.iparent());
    }

    /** An inode that the index has and that cannot be read; they come in the order of their numbers. */
    void addLost(long inum) {
        if (lostCount == lost.length) {
            lost = Arrays.copyOf(lost, 2 * lostCount);
        }
        lost[lostCount++] = inum;
    }

    /** Part of the index cannot be read. */
    void markIndexLost() {
        indexLost = true;
    }

    /** Entries of some directory cannot be read. */
    void markEntriesLost() {
        entriesLost = true;
    }

    /** Takes the entries of a directory, in the order of their keys. */
    Entries entriesOf(int directory) {
        return new Entries(directory);
    }

    /** The entries of one directory. */
    final class Entries {
        private final int directory;
        private final long inum;
        /** Names in the bucket of the last key: a name twice has the same hash twice. */
        private final Set<ByteBuffer> bucket = new HashSet<>();

        private long bucketNumber;

        Entries(int directory) {
            this.directory = directory;
            this.inum = directories.inum(directory);
        }

        void entry(BlockRef ref) {
            context.totals().dirents++;
            DirectoryEntry entry = DirectoryEntry.of(ref);
            byte[] name;
            if (entry.isNameEmbedded()) {
                name = entry.embeddedName().toArray(ValueLayout.JAVA_BYTE);
            } else {
                MemorySegment bytes = context.loader().load(ref, where(new byte[0]), () -> path(new byte[0]));
                if (bytes == null) {
                    markEntriesLost();
                    return;
                }
                context.storage().mark(ref, BlockMap.VERIFIED);
                name = bytes.asSlice(0, Math.min(entry.nameBytes(), bytes.byteSize()))
                        .toArray(ValueLayout.JAVA_BYTE);
            }
            name(ref, entry, name);
            target(ref, entry, name);
        }

        private void name(BlockRef ref, DirectoryEntry entry, byte[] name) {
            if (!isLegal(name) || entry.nameBytes() > Limits.NAME_BYTES_MAX) {
                problem(ProblemCode.DIRENT, name, "illegal name of " + entry.nameBytes() + " bytes", ref);
            } else if ((DirectoryHash.of(name) ^ ref.key()) >>> COLLISION_BITS != 0) {
                problem(
                        ProblemCode.HASH,
                        name,
                        String.format(
                                "key %016x does not belong to the name, whose hash is %016x",
                                ref.key(), DirectoryHash.of(name)),
                        ref);
            }
            long number = ref.key() >>> COLLISION_BITS;
            if (number != bucketNumber) {
                bucket.clear();
                bucketNumber = number;
            }
            if (!bucket.add(ByteBuffer.wrap(name))) {
                problem(ProblemCode.DIRENT, name, "the name appears twice", ref);
            }
        }

        private void target(BlockRef ref, DirectoryEntry entry, byte[] name) {
            long target = entry.inum();
            int index = inodes.find(target);
            if (index < 0) {
                if (Arrays.binarySearch(lost, 0, lostCount, target) >= 0) {
                    reporter.note(
                            "damaged", where(name) + ": its inode " + hex(target) + " is damaged", ref, path(name));
                } else if (!indexLost) {
                    problem(ProblemCode.DANGLING, name, "there is no inode " + hex(target), ref);
                }
                return;
            }
            inodes.addRef(index);
            if (inodes.type(index) != entry.objectTypeCode()) {
                problem(
                        ProblemCode.DIRENT,
                        name,
                        "type " + entry.objectTypeCode() + ", but inode " + hex(target) + " has type "
                                + inodes.type(index),
                        ref);
            }
            if (inodes.type(index) == FileType.DIRECTORY.code()) {
                subdirectory(ref, name, target, directories.ofInode(index));
            }
        }

        private void subdirectory(BlockRef ref, byte[] name, long target, int child) {
            directories.addSubdirectory(directory);
            if (child == 0) {
                problem(ProblemCode.DIRENT, name, "refers to the root directory", ref);
            } else if (directories.parent(child) >= 0) {
                problem(ProblemCode.DIRENT, name, "directory " + hex(target) + " has more than one entry", ref);
            } else {
                directories.setParent(child, directory);
            }
            if (directories.iparent(child) != inum) {
                problem(
                        ProblemCode.INODE,
                        name,
                        "iparent of " + hex(target) + " is " + hex(directories.iparent(child)),
                        ref);
            }
        }

        private String where(byte[] name) {
            return pfs + " directory " + hex(inum) + " entry '" + NameText.of(name) + "'";
        }

        private String path(byte[] name) {
            String parent = context.options().findPaths() ? paths.of(inum) : null;
            return parent == null ? null : (parent.equals("/") ? "" : parent) + "/" + NameText.of(name);
        }

        private void problem(ProblemCode code, byte[] name, String text, BlockRef ref) {
            reporter.problem(code, where(name) + ": " + text, ref, () -> path(name));
        }
    }

    /** Verifies what all entries together say of the inodes. */
    void finish(InodeBlock root) {
        boolean complete = !indexLost && !entriesLost && lostCount == 0;
        if (inodes.refs(0) != 0) {
            problem(ProblemCode.INODE, 0, "an entry refers to the root directory");
        }
        long highest = 0;
        int directory = 1;
        for (int index = 1; index < inodes.count(); index++) {
            long inum = inodes.inum(index);
            highest = Long.compareUnsigned(inum, highest) > 0 ? inum : highest;
            boolean isDirectory = inodes.type(index) == FileType.DIRECTORY.code();
            int number = isDirectory ? directory++ : -1;
            if (inodes.refs(index) == 0) {
                if (complete) {
                    problem(
                            ProblemCode.ORPHAN,
                            index,
                            "no directory entry (type " + inodes.type(index) + ", nlinks " + inodes.nlinks(index)
                                    + ")");
                }
            } else if (isDirectory) {
                directoryLinks(index, number);
            } else if (inodes.nlinks(index) != inodes.refs(index) && complete) {
                problem(
                        ProblemCode.NLINKS,
                        index,
                        "nlinks " + inodes.nlinks(index) + ", but " + inodes.refs(index) + " entries");
            }
        }
        directoryLinks(0, 0);
        loops();
        if (Long.compareUnsigned(root.pfsInum(), highest) < 0) {
            reporter.problem(
                    ProblemCode.PFS,
                    pfs + ": pfs_inum " + hex(root.pfsInum()) + " is below the highest inode number " + hex(highest));
        }
    }

    /** DragonFly keeps 1; other writers count the subdirectories as POSIX does (section 8.5). */
    private void directoryLinks(int index, int directory) {
        int nlinks = inodes.nlinks(index);
        if (nlinks != 1 && nlinks != 2 + directories.subdirectories(directory)) {
            problem(
                    ProblemCode.NLINKS,
                    index,
                    "directory with nlinks " + nlinks + " and " + directories.subdirectories(directory)
                            + " subdirectories");
        }
    }

    /** Directories that hold each other have an entry each, and are reached from nowhere. */
    private void loops() {
        byte[] state = new byte[directories.count()];
        state[0] = ENDS;
        for (int start = 1; start < directories.count(); start++) {
            int end = follow(start, state);
            byte verdict = (byte) (end < 0 || state[end] == ENDS ? ENDS : LOOPS);
            for (int at = start; at >= 0 && state[at] == ON_PATH; at = directories.parent(at)) {
                state[at] = verdict;
            }
            if (state[start] == LOOPS) {
                problem(ProblemCode.ORPHAN, directories.inode(start), "directory loop");
            }
        }
    }

    /** Marks the way upwards; the first directory that was marked before, or a negative number at the end of the way. */
    private int follow(int start, byte[] state) {
        int at = start;
        while (at >= 0 && state[at] == UNKNOWN) {
            state[at] = ON_PATH;
            at = directories.parent(at);
        }
        return at;
    }

    private void problem(ProblemCode code, int index, String text) {
        reporter.problem(code, pfs + " inode " + hex(inodes.inum(index)) + ": " + text);
    }

    private static boolean isLegal(byte[] name) {
        boolean dots = name.length <= 2 && name.length > 0 && name[0] == '.' && name[name.length - 1] == '.';
        if (name.length == 0 || dots) {
            return false;
        }
        for (byte b : name) {
            if (b == '/' || b == 0) {
                return false;
            }
        }
        return true;
    }
}
