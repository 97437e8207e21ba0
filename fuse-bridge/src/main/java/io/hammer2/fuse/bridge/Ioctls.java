package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_ALLOCATED;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_FREED;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_MEMORY;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_SCAN;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_STOP;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_GET;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_INODE_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.KEY_NONE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CLID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FSID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_GET;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_LOOKUP;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_KEY;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_NEXT;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SUBTYPE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_TYPE;
import static io.hammer2.fuse.bridge.ControlRequests.VERSION_GET;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.InodeInfo;
import io.hammer2.fs.PfsInfo;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.media.MediaUuid;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Comparator;
import java.util.List;

/**
 * Answers {@link ControlRequests}, and Linux' own requests for the flags of an inode. The list of PFSs never changes here, as
 * nothing changes it yet: what would is EROFS; what is not known, ENOTTY.
 */
final class Ioctls {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    /** Of the daemon's heap, bulkfree may be given one part in so many. */
    private static final int BULKFREE_HEAP_PART = 4;

    private static final long BULKFREE_MEMORY_MIN = 1 << 20;

    private final FileSystem files;
    private final LinuxFlags linux;
    private final int version;
    /** By key, unsigned, as the super-root is ordered. */
    private final List<PfsInfo> pfss;

    private Ioctls(FileSystem files, int version, List<PfsInfo> pfss) {
        this.files = files;
        this.linux = new LinuxFlags(files);
        this.version = version;
        this.pfss = pfss;
    }

    static Ioctls of(FileSystem files) throws Hammer2Exception {
        List<PfsInfo> pfss = files.volume().pfsList().stream()
                .sorted(Comparator.comparing(PfsInfo::nameKey, Long::compareUnsigned))
                .toList();
        return new Ioctls(files, files.volume().info().version(), pfss);
    }

    int answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command == VERSION_GET) {
            out.copyFrom(in);
            out.set(INT, 0, version);
        } else if (command == PFS_GET) {
            pfsGet(in, out);
        } else if (command == PFS_LOOKUP) {
            pfsLookup(in, out);
        } else if (command == INODE_GET) {
            inodeGet(node, in, out);
        } else if (command == BULKFREE_SCAN) {
            bulkfree(in, out);
        } else if (!linux.answer(call, node, command, in, out)) {
            throw refusal(command).exception();
        }
        return 0;
    }

    private static FuseErrno refusal(int command) {
        boolean ours = (command >>> 8 & 0xff) == 'h';
        return switch (ours ? command & 0xff : 0) {
            // PFS_CREATE, PFS_DELETE, PFS_SNAPSHOT, INODE_SET, DESTROY, EMERG_MODE, GROWFS
            case 81, 82, 84, 87, 94, 95, 96 -> FuseErrno.EROFS;
            default -> FuseErrno.ENOTTY;
        };
    }

    /** As DragonFly does for whoever can open a file; both passes in one, and EIO when damage kept it from freeing anything. */
    private void bulkfree(MemorySegment in, MemorySegment out) {
        long asked = in.get(LONG, BULKFREE_MEMORY);
        long most = Math.max(BULKFREE_MEMORY_MIN, Runtime.getRuntime().maxMemory() / BULKFREE_HEAP_PART);
        long memory = Math.min(asked == 0 ? BulkFreeResult.MEMORY_BYTES_DEFAULT : asked, most);
        BulkFreeResult done = files.bulkfree(Math.max(memory, BULKFREE_MEMORY_MIN));
        if (done.damageCount() > 0) {
            throw FuseErrno.EIO.exception();
        }
        out.copyFrom(in);
        out.set(LONG, BULKFREE_STOP, files.volume().info().sizeBytes());
        out.set(LONG, BULKFREE_ALLOCATED, done.restoredBytes() + done.corruptBytes());
        out.set(LONG, BULKFREE_FREED, done.freedBytes());
    }

    private void pfsGet(MemorySegment in, MemorySegment out) {
        long key = in.get(LONG, PFS_NAME_KEY);
        if (key == KEY_NONE) {
            describe(files.pfs(), KEY_NONE, in, out);
            return;
        }
        for (int i = 0; i < pfss.size(); i++) {
            if (Long.compareUnsigned(pfss.get(i).nameKey(), key) >= 0) {
                describe(pfss.get(i), i + 1 < pfss.size() ? pfss.get(i + 1).nameKey() : KEY_NONE, in, out);
                return;
            }
        }
        throw FuseErrno.ENOENT.exception();
    }

    private void pfsLookup(MemorySegment in, MemorySegment out) {
        MemorySegment name = in.asSlice(PFS_NAME, nameBytes(in));
        for (PfsInfo pfs : pfss) {
            if (pfs.labelBytes().mismatch(name) < 0) {
                describe(pfs, KEY_NONE, in, out);
                return;
            }
        }
        throw FuseErrno.ENOENT.exception();
    }

    /** Up to the terminating zero; one that is missing ends at the end of the field. */
    private static long nameBytes(MemorySegment pfs) {
        long bytes = 0;
        while (bytes < PFS_NAME_BYTES && pfs.get(ValueLayout.JAVA_BYTE, PFS_NAME + bytes) != 0) {
            bytes++;
        }
        return bytes;
    }

    private static void describe(PfsInfo pfs, long nextKey, MemorySegment in, MemorySegment out) {
        out.copyFrom(in);
        out.set(LONG, PFS_NAME_KEY, pfs.nameKey());
        out.set(LONG, PFS_NAME_NEXT, nextKey);
        out.set(ValueLayout.JAVA_BYTE, PFS_TYPE, pfs.type().code());
        out.set(ValueLayout.JAVA_BYTE, PFS_SUBTYPE, (byte) pfs.subtype());
        MediaUuid.write(out, PFS_FSID, pfs.fsid());
        MediaUuid.write(out, PFS_CLID, pfs.clid());
        MemorySegment label = pfs.labelBytes();
        long kept = Math.min(label.byteSize(), PFS_NAME_BYTES - 1);
        out.asSlice(PFS_NAME, PFS_NAME_BYTES).fill((byte) 0);
        MemorySegment.copy(label, 0, out, PFS_NAME, kept);
    }

    private void inodeGet(long node, MemorySegment in, MemorySegment out) {
        InodeInfo inode = files.inodeInfo(node);
        out.copyFrom(in);
        out.set(LONG, INODE_DATA_COUNT, inode.ref().dataCount());
        out.set(LONG, INODE_INODE_COUNT, inode.ref().inodeCount());
        MemorySegment.copy(
                inode.inodeBlock(), 0, out, INODE_DATA, inode.inodeBlock().byteSize());
    }
}
