package io.hammer2.tools;

import static io.hammer2.fuse.bridge.ControlRequests.DESTROY;
import static io.hammer2.fuse.bridge.ControlRequests.DESTROY_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.DESTROY_INUM;
import static io.hammer2.fuse.bridge.ControlRequests.DESTROY_PATH;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.hammer2.fs.media.Limits;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code destroy} and {@code destroy-inum}. */
abstract sealed class DestroyDirective extends Directive {
    private static final int ENOENT = 2;
    private static final int EIO = 5;
    private static final int EEXIST = 17;
    private static final int BY_NAME = 1;
    private static final int BY_INUM = 2;

    @Command(
            name = "destroy",
            description = {
                "Takes names out of their directories that rm cannot remove, since what they name is damaged.",
                "What is not damaged is refused."
            })
    static final class ByPath extends DestroyDirective {
        @Parameters(paramLabel = "PATH", arity = "1..*", description = "Names in a mounted file system.")
        private List<Path> paths;

        @Override
        void run() {
            for (Path path : paths) {
                attempt(path.toString(), () -> destroy(path));
            }
        }

        private void destroy(Path path) {
            Path name = path.getFileName();
            Path directory = path.toAbsolutePath().normalize().getParent();
            if (name == null
                    || directory == null
                    || name.toString().equals("..")
                    || name.toString().equals(".")) {
                throw new ToolException(path + ": not a name in a directory");
            }
            byte[] bytes = name.toString().getBytes(StandardCharsets.UTF_8);
            if (bytes.length > Limits.NAME_BYTES_MAX) {
                throw new ToolException(path + ": a name has at most " + Limits.NAME_BYTES_MAX + " bytes");
            }
            if (!Files.isDirectory(directory)) {
                throw new ToolException(directory + ": no such directory");
            }
            try (MountedFile file = MountedFile.open(directory)) {
                MemorySegment destroy = file.structure(DESTROY_BYTES);
                destroy.set(JAVA_INT, 0, BY_NAME);
                MemorySegment.copy(bytes, 0, destroy, JAVA_BYTE, DESTROY_PATH, bytes.length);
                request(file, destroy, path.toString(), "the directory that it is in is damaged itself");
            }
            forget(path);
        }

        /** Linux may remember the name of a directory whose inode could be read, and forgets it when there is nothing to remove. */
        private static void forget(Path path) {
            try {
                if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    Files.delete(path);
                }
            } catch (IOException e) {
                // As it has to be: it is gone.
            }
        }
    }

    @Command(
            name = "destroy-inum",
            description = {
                "Takes damaged inodes out of the index of the mounted file system of -s, or of this directory.",
                "Their names stay; destroy takes them out. What is not damaged is refused."
            })
    static final class ByInum extends DestroyDirective {
        @Parameters(paramLabel = "INUM", arity = "1..*", description = "Numbers of inodes, as fsck_hammer2 shows them.")
        private List<Long> inums;

        @Override
        void run() {
            Path path = Path.of(parent().path() == null ? "." : parent().path());
            for (long inum : inums) {
                attempt("inode " + inum, () -> destroy(path, inum));
            }
        }

        private void destroy(Path path, long inum) {
            try (MountedFile file = MountedFile.open(path)) {
                MemorySegment destroy = file.structure(DESTROY_BYTES);
                destroy.set(JAVA_INT, 0, BY_INUM);
                destroy.set(JAVA_LONG, DESTROY_INUM, inum);
                request(file, destroy, "inode " + inum, "the index of inodes is damaged itself");
            }
        }
    }

    /** The others are tried too when one fails. */
    final void attempt(String what, Runnable destroy) {
        try {
            destroy.run();
            if (!parent().isQuiet()) {
                out().println(what + ": destroyed");
            }
        } catch (ToolException e) {
            damage(e.getMessage());
        }
    }

    static void request(MountedFile file, MemorySegment destroy, String what, String damage) {
        int errno = file.tryRequest(DESTROY, destroy);
        switch (errno) {
            case 0 -> {}
            case ENOENT -> throw new ToolException(what + ": there is none");
            case EEXIST -> throw new ToolException(what + ": is not damaged; remove it with rm");
            case EIO -> throw new ToolException(what + ": " + damage + "; see the log of the mount");
            default -> throw new ToolException(what + ": " + MountedFile.errorText(errno));
        }
    }
}
