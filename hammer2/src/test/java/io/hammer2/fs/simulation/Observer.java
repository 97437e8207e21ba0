package io.hammer2.fs.simulation;

import io.hammer2.fs.Errno;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.media.FileType;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/** Looks at everything that a mounted file system shows. */
final class Observer {
    /** Larger files are read where they say that they have data. */
    private static final long READ_WHOLE_MAX = 1 << 20;

    private static final int READ_BYTES = 1 << 16;
    private static final int INODES_MAX = 100_000;

    private final Posix fs;

    Observer(Posix fs) {
        this.fs = fs;
    }

    /** Everything that has a name, by inode number. */
    Map<Long, ModelInode> tree(int entriesPerCall) {
        Map<Long, ModelInode> seen = new HashMap<>();
        Deque<ModelInode> left = new ArrayDeque<>();
        visit(FileSystem.ROOT_INUM, seen, left);
        while (!left.isEmpty()) {
            ModelInode directory = left.remove();
            Map<String, Long> entries = directory.entriesCopy();
            for (Posix.Entry entry : fs.list(directory.inum, entriesPerCall)) {
                if (entries.put(entry.name(), entry.inum()) != null) {
                    throw new AssertionError("listed twice: " + entry);
                }
                if (!seen.containsKey(entry.inum())) {
                    visit(entry.inum(), seen, left);
                }
                FileType type = seen.get(entry.inum()).type;
                if (type != entry.type()) {
                    throw new AssertionError(entry + " is a " + type);
                }
            }
            directory.entries = entries;
        }
        return seen;
    }

    /** Adds what is in use without a name, where there is any. */
    void addUnnamed(ModelFileSystem.State state, Map<Long, ModelInode> seen) {
        for (ModelInode inode : state.inodes()) {
            if (inode.nlink == 0) {
                try {
                    seen.put(inode.inum, look(inode.inum));
                } catch (FsException e) {
                    if (e.errno() != Errno.ESTALE) {
                        throw e;
                    }
                }
            }
        }
    }

    private void visit(long inum, Map<Long, ModelInode> seen, Deque<ModelInode> directories) {
        ModelInode inode = look(inum);
        seen.put(inum, inode);
        if (inode.isDirectory()) {
            directories.add(inode);
        }
        if (seen.size() > INODES_MAX) {
            throw new AssertionError("more than " + INODES_MAX + " inodes: a loop?");
        }
    }

    private ModelInode look(long inum) {
        var attributes = fs.attributes(inum);
        ModelInode inode = new ModelInode(attributes);
        inode.content = switch (inode.type) {
            case REGULAR -> content(inum, attributes.size());
            case SYMLINK -> Content.of(fs.readlink(inum));
            default -> Content.EMPTY;
        };
        if (inode.content.size() != attributes.size()) {
            throw new AssertionError(attributes + ", but its content ends at " + inode.content.size());
        }
        return inode;
    }

    private Content content(long inum, long size) {
        Content content = Content.EMPTY;
        long at = 0;
        while (at < size) {
            long begin = size > READ_WHOLE_MAX ? dataFrom(inum, at) : at;
            if (begin < 0) {
                break;
            }
            byte[] bytes = fs.read(inum, begin, (int) Math.min(READ_BYTES, size - begin));
            if (bytes.length == 0) {
                break;
            }
            content = content.write(begin, bytes, 0, bytes.length);
            at = begin + bytes.length;
        }
        return content.resize(size);
    }

    /** The next data, or -1. */
    private long dataFrom(long inum, long offset) {
        try {
            return fs.seekData(inum, offset);
        } catch (FsException e) {
            if (e.errno() != Errno.ENXIO) {
                throw e;
            }
            return -1;
        }
    }
}
