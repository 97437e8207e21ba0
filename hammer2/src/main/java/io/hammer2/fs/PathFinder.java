package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.inode.InodeIndex;
import io.hammer2.fs.inode.InodeTable;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A path of an inode, for log lines: from the inode to the root by its parents' numbers, in each parent the entry that names
 * the child. Best effort on a volume that is damaged somewhere: bounded in depth and in entries looked at.
 */
final class PathFinder {
    private static final int ENTRIES_MAX = 1 << 16;

    private final InodeTable inodes;
    private final InodeIndex index;

    PathFinder(InodeTable inodes, InodeIndex index) {
        this.inodes = inodes;
        this.index = index;
    }

    /** A path of {@code inum}, or "inode N" where it cannot be found. Without any gate held. */
    String pathOf(Topology topology, long inum) {
        Deque<String> names = new ArrayDeque<>();
        try {
            long child = inum;
            for (int depth = 0; child != InodeBlock.ROOT_INUM; depth++) {
                long parent = parentOf(topology, child);
                String name = parent < 0 || depth == Limits.TREE_DEPTH_MAX ? null : nameIn(topology, parent, child);
                if (name == null) {
                    return "inode " + inum;
                }
                names.push(name);
                child = parent;
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            return "inode " + inum;
        }
        return "/" + String.join("/", names);
    }

    /** The path of {@code name} in the directory at {@code path}. */
    static String join(String path, MemorySegment name) {
        return (path.equals("/") ? "" : path) + "/" + text(name);
    }

    /** A name for people: what is not printable ASCII is escaped. */
    static String text(MemorySegment name) {
        return text(name.toArray(ValueLayout.JAVA_BYTE));
    }

    /** As {@link #text(MemorySegment)}. */
    static String text(byte[] name) {
        StringBuilder text = new StringBuilder();
        for (byte b : name) {
            if (b > ' ' && b < 0x7F && b != '\\') {
                text.append((char) b);
            } else {
                text.append(String.format("\\x%02x", b));
            }
        }
        return text.toString();
    }

    private long parentOf(Topology topology, long inum) {
        Inode inode = inodes.acquire(inum);
        try {
            if (!inode.lockShared(topology, index)) {
                return -1;
            }
            try {
                return inode.block().iparent();
            } finally {
                inode.gate().unlockShared();
            }
        } finally {
            inodes.release(inode);
        }
    }

    private String nameIn(Topology topology, long parent, long child) {
        Inode inode = inodes.acquire(parent);
        try {
            if (!inode.lockShared(topology, index)) {
                return null;
            }
            try {
                if (inode.type() != FileType.DIRECTORY) {
                    return null;
                }
                String[] found = new String[1];
                int[] left = {ENTRIES_MAX};
                inode.directory().list(topology, 0, (inum, type, name, next) -> {
                    if (inum == child) {
                        found[0] = text(name);
                    }
                    return found[0] == null && --left[0] > 0;
                });
                return found[0];
            } finally {
                inode.gate().unlockShared();
            }
        } finally {
            inodes.release(inode);
        }
    }
}
