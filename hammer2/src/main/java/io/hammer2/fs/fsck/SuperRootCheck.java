package io.hammer2.fs.fsck;

import io.hammer2.fs.fsck.Reporter.Unusable;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.DirectoryHash;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.NameText;
import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.media.VolumeHeader;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** The super-root and the root inodes of the PFSs (format section 9). */
final class SuperRootCheck {
    /** PFSs that are verified: no bound of the format, but each is held in memory here. */
    private static final int PFS_MAX = 1 << 16;

    private static final Set<BlockType> ALLOWED = EnumSet.of(BlockType.INODE, BlockType.INDIRECT);
    private static final int COLLISION_BITS = 15;

    private final Context context;
    private final Reporter reporter;
    private final List<PfsRoot> found = new ArrayList<>();
    private final Set<ByteBuffer> names = new HashSet<>();
    private final Map<UUID, String> fsids = new HashMap<>();

    /** A PFS whose root inode could be read. */
    record PfsRoot(BlockRef ref, String name) {}

    SuperRootCheck(Context context) {
        this.context = context;
        this.reporter = context.reporter();
    }

    /**
     * Verifies the super-root.
     *
     * @return the PFSs in the order of their keys
     */
    List<PfsRoot> check(VolumeHeader header) {
        Place top = Place.root("volume header", 0, -1L, header.mirrorTid());
        List<BlockRef> tops = context.tables().accept(header.superRootBlockSet(), top, ALLOWED);
        BlockRef ref = tops.stream()
                .filter(r -> r.type() == BlockType.INODE && r.key() == 0)
                .findFirst()
                .orElseThrow(() -> new Unusable("no super-root in the volume header"));
        if (tops.size() != 1) {
            reporter.problem(ProblemCode.SROOT, "the volume header refers to " + tops.size() + " super-roots");
        }
        if (ref.radix() != Limits.RADIX_MIN || !context.storage().claim(ref, "super-root")) {
            throw new Unusable("the reference to the super-root is damaged: " + Place.label(ref));
        }
        if (Key.less(header.mirrorTid(), ref.mirrorTid())) {
            reporter.problem(
                    ProblemCode.TID,
                    "super-root: mirror_tid " + Long.toUnsignedString(ref.mirrorTid()) + " is above the header's "
                            + Long.toUnsignedString(header.mirrorTid()),
                    ref);
        }
        MemorySegment bytes = context.loader().load(ref, "super-root");
        if (bytes == null) {
            throw new Unusable("the super-root cannot be read");
        }
        context.totals().inodes++;
        InodeBlock inode = copy(bytes);
        if (inode.typeCode() != FileType.DIRECTORY.code()
                || inode.inum() != 0
                || inode.pfsTypeCode() != PfsType.SUPER_ROOT.code()
                || inode.isDirectData()) {
            reporter.problem(
                    ProblemCode.SROOT,
                    "super-root inode: type " + inode.typeCode() + ", number " + Long.toUnsignedString(inode.inum())
                            + ", pfs_type " + inode.pfsTypeCode() + ", op_flags " + inode.opFlags(),
                    ref);
        }
        if (!inode.isDirectData()) {
            context.walker().walk(inode.blockSet(), Place.root("super-root", 0, -1L, ref.mirrorTid()), new Roots());
        }
        return found;
    }

    /** A copy of an inode, which nobody overwrites. */
    static InodeBlock copy(MemorySegment bytes) {
        return new InodeBlock(
                MemorySegment.ofArray(new byte[Limits.INODE_BYTES]).copyFrom(bytes));
    }

    /** The name in a root inode, whatever its length says. */
    static String nameOf(InodeBlock root) {
        return root.nameBytes() <= Limits.NAME_BYTES_MAX
                ? NameText.of(root.name())
                : "(name of " + root.nameBytes() + " bytes)";
    }

    /** The tree of the super-root. */
    private final class Roots implements TreeWalker.Visitor {
        @Override
        public Set<BlockType> allowed() {
            return ALLOWED;
        }

        @Override
        public boolean readsLeaves() {
            return true;
        }

        /** Newfs does not count what it places (section 4.3), and what it placed may have moved into an indirect block. */
        @Override
        public boolean countersKept() {
            return false;
        }

        @Override
        public void leaf(BlockRef ref, Place place) {
            MemorySegment bytes = context.loader().load(ref, place);
            if (bytes == null) {
                return;
            }
            if (found.size() == PFS_MAX) {
                reporter.problem(ProblemCode.LIMIT, "more than " + PFS_MAX + " PFSs: the others are not verified");
                throw new Reporter.GivenUp(false);
            }
            InodeBlock root = copy(bytes);
            String name = nameOf(root);
            found.add(new PfsRoot(ref, name));
            root(ref, root, "PFS " + name);
        }
    }

    private void root(BlockRef ref, InodeBlock root, String where) {
        if (!ref.isPfsRoot()) {
            pfs(where, "the block reference lacks the PFSROOT flag", ref);
        }
        if (!root.isPfsRoot()) {
            pfs(where, "the inode lacks the PFSROOT flag", ref);
        }
        if (root.inum() != InodeBlock.ROOT_INUM || root.typeCode() != FileType.DIRECTORY.code()) {
            pfs(where, "inode number " + Long.toUnsignedString(root.inum()) + ", type " + root.typeCode(), ref);
        }
        int length = root.nameBytes();
        if (length < 1 || length > Limits.NAME_BYTES_MAX) {
            pfs(where, "a name of " + length + " bytes", ref);
        } else {
            long hash = DirectoryHash.of(root.name());
            if ((hash ^ ref.key()) >>> COLLISION_BITS != 0) {
                reporter.problem(
                        ProblemCode.HASH,
                        where + ": key " + Key.text(ref.key()) + " does not belong to the name, whose hash is "
                                + Key.text(hash),
                        ref);
            }
            if (!names.add(ByteBuffer.wrap(root.name()))) {
                pfs(where, "the name is used twice", ref);
            }
        }
        if (root.nameKey() != ref.key()) {
            pfs(where, "name_key " + Key.text(root.nameKey()) + ", but key " + Key.text(ref.key()), ref);
        }
        String other = fsids.putIfAbsent(root.pfsFsid(), where);
        if (other != null) {
            pfs(where, "pfs_fsid is also that of " + other, ref);
        }
        if (!isLocalType(root.pfsTypeCode())) {
            pfs(where, "pfs_type " + root.pfsTypeCode(), ref);
        }
    }

    private static boolean isLocalType(int pfsType) {
        for (PfsType type : PfsType.values()) {
            if (type.code() == (pfsType & 0x0F)) {
                return type != PfsType.NONE && type != PfsType.SUPER_ROOT;
            }
        }
        return false;
    }

    private void pfs(String where, String text, BlockRef ref) {
        reporter.problem(ProblemCode.PFS, where + ": " + text, ref);
    }
}
