package io.hammer2.fs.sweep;

import io.hammer2.fs.Errno;
import io.hammer2.fs.FsException;
import io.hammer2.fs.media.FileType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Meets the regular files at or below a path, each at least once, while names come and go. A directory is entered once, so the walk
 * ends whatever a volume says that its directories contain.
 */
final class FileWalk {
    private final SweptFiles files;
    private final Visitor visitor;
    private final long memoryBytesMax;
    private LongSet entered;

    /** Directories still to be listed. */
    private long[] waiting = new long[64];

    private int waitingCount;

    /** What a walk is made for. */
    interface Visitor {
        /** A file; what it throws with ESTALE or EIO counts as {@link #unreadable}. */
        void file(long inum);

        /** A directory or file that cannot be read. */
        void unreadable();
    }

    /** @param memoryBytesMax for remembering the directories */
    FileWalk(SweptFiles files, Visitor visitor, long memoryBytesMax) {
        this.files = files;
        this.visitor = visitor;
        this.memoryBytesMax = memoryBytesMax;
    }

    /**
     * Walks.
     *
     * @throws FsException ENOTSUP when there are more directories than fit into memory; EINVAL when the path is neither file nor
     *     directory
     */
    void from(long inum) {
        entered = new LongSet(memoryBytesMax);
        meet(inum, files.typeOf(inum), true);
        while (waitingCount > 0) {
            long directory = waiting[--waitingCount];
            guarded(() -> list(directory));
        }
    }

    private void list(long directory) {
        long cookie = 0;
        do {
            List<Child> children = new ArrayList<>();
            cookie = files.children(directory, cookie, (inum, type) -> children.add(new Child(inum, type)));
            children.forEach(child -> meet(child.inum, child.type, false));
        } while (cookie >= 0);
    }

    private record Child(long inum, FileType type) {}

    private void meet(long inum, FileType type, boolean isPath) {
        switch (type) {
            case REGULAR -> guarded(() -> visitor.file(inum));
            case DIRECTORY -> enter(inum);
            case SYMLINK, FIFO, CHARACTER_DEVICE, BLOCK_DEVICE, SOCKET, WHITEOUT -> {
                if (isPath) {
                    throw new FsException(Errno.EINVAL, "neither a file nor a directory");
                }
            }
        }
    }

    private void enter(long directory) {
        switch (entered.add(directory)) {
            case NEW -> {
                if (waitingCount == waiting.length) {
                    waiting = Arrays.copyOf(waiting, 2 * waitingCount);
                }
                waiting[waitingCount++] = directory;
            }
            case KNOWN -> {}
            case FULL -> throw new FsException(Errno.ENOTSUP, "so many directories need more memory");
        }
    }

    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (FsException e) {
            switch (e.errno()) {
                case EIO -> visitor.unreadable();
                case ESTALE, ENOENT -> {}
                default -> throw e;
            }
        }
    }
}
