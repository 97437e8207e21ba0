package io.hammer2.fuse.bridge;

import io.hammer2.fs.AttributeChange;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Linux' own requests for the flags of an inode (uapi {@code linux/fs.h}): immutable, append-only and no dump, which lsattr shows
 * and chattr sets, and which are chflags(2) bits on the medium. Of the two forms the kernel asks for the second, too, when a
 * program sets the first.
 */
final class LinuxFlags implements RequestFamily {
    /** {@code _IOR('f', 1, long)}: an int comes out, whatever it says. */
    private static final int GET_FLAGS = 0x80086601;

    /** {@code _IOW('f', 2, long)}: an int goes in. */
    private static final int SET_FLAGS = 0x40086602;

    /** {@code _IOR('X', 31, struct fsxattr)}: {@code 0 xflags 4 extsize 8 nextents 12 projid 16 cowextsize 20 pad:8} */
    private static final int GET_XATTR = 0x801c581f;

    /** {@code _IOW('X', 32, struct fsxattr)} */
    private static final int SET_XATTR = 0x401c5820;

    private static final int XATTR_BYTES = 28;
    private static final int XATTR_EXTENT_SIZE = 4;
    private static final int XATTR_PROJECT = 12;
    private static final int XATTR_COW_EXTENT_SIZE = 16;

    /** Only root may set and clear them, as on Linux: BSD's system kind, and not that of the owner. */
    private static final int SYSTEM_IMMUTABLE = 0x20000;

    private static final int SYSTEM_APPEND = 0x40000;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    /** One flag in its three numberings: chflags(2) of both kinds and which to set, FS_..._FL, FS_XFLAG_... */
    private enum Flag {
        IMMUTABLE(FuseBridge.UFLAGS_IMMUTABLE, SYSTEM_IMMUTABLE, 0x10, 0x8),
        APPEND(FuseBridge.UFLAGS_APPEND, SYSTEM_APPEND, 0x20, 0x10),
        NODUMP(FuseBridge.UFLAGS_NODUMP, FuseBridge.UFLAGS_NODUMP, 0x40, 0x80);

        private final int kinds;
        private final int kindToSet;
        private final int flag;
        private final int xflag;

        Flag(int kinds, int kindToSet, int flag, int xflag) {
            this.kinds = kinds;
            this.kindToSet = kindToSet;
            this.flag = flag;
            this.xflag = xflag;
        }

        int number(boolean extended) {
            return extended ? xflag : flag;
        }
    }

    private static final Flag[] FLAGS = Flag.values();

    private final FileSystem files;

    LinuxFlags(FileSystem files) {
        this.files = files;
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        switch (command) {
            case GET_FLAGS -> {
                require(out.byteSize() >= Integer.BYTES);
                out.set(INT, 0, shown(node, false));
            }
            case GET_XATTR -> {
                require(out.byteSize() >= XATTR_BYTES);
                out.set(INT, 0, shown(node, true));
            }
            case SET_FLAGS -> {
                require(in.byteSize() >= Integer.BYTES);
                set(call, node, in.get(INT, 0), false);
            }
            case SET_XATTR -> {
                require(in.byteSize() >= XATTR_BYTES);
                // Sizes and projects are nothing that the medium keeps.
                require((in.get(INT, XATTR_EXTENT_SIZE)
                                | in.get(INT, XATTR_PROJECT)
                                | in.get(INT, XATTR_COW_EXTENT_SIZE))
                        == 0);
                set(call, node, in.get(INT, 0), true);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static void require(boolean good) {
        if (!good) {
            throw FuseErrno.EINVAL.exception();
        }
    }

    private int shown(long node, boolean extended) {
        int uflags = files.attributes(node).uflags();
        int shown = 0;
        for (Flag flag : FLAGS) {
            shown |= (uflags & flag.kinds) != 0 ? flag.number(extended) : 0;
        }
        return shown;
    }

    private void set(FuseCall call, long node, int wanted, boolean extended) {
        Attributes found = files.attributes(node);
        int uflags = found.uflags();
        int unknown = wanted;
        for (Flag flag : FLAGS) {
            boolean isWanted = (wanted & flag.number(extended)) != 0;
            unknown &= ~flag.number(extended);
            if (!isWanted) {
                uflags &= ~flag.kinds;
            } else if ((uflags & flag.kinds) == 0) {
                uflags |= flag.kindToSet;
            }
        }
        if (unknown != 0) {
            throw FuseErrno.ENOTSUP.exception();
        }
        // Linux before 5.13 passes the first form on as any other request, without a look at who asks.
        boolean rootOnly = ((uflags ^ found.uflags()) & ~FuseBridge.UFLAGS_NODUMP) != 0;
        if (call.uid() != 0 && (call.uid() != found.uid() || rootOnly)) {
            throw FuseErrno.EPERM.exception();
        }
        files.setAttributes(node, new AttributeChange().uflags(uflags));
    }
}
