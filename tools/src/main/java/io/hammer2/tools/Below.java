package io.hammer2.tools;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.function.Consumer;

/** The files and directories of a mounted file system from one of them on, which control requests can be made of. */
final class Below {
    /** Told when there is anything that cannot be looked at; the walk goes on. */
    interface Trouble {
        void with(String line);
    }

    private Below() {}

    /**
     * Walks down, a directory before what is in it. Symbolic links are not followed, and other file systems that are mounted below are left out.
     *
     * @param top itself may be a symbolic link
     * @param recursive without it {@code top} alone is visited
     */
    static void walk(Path top, boolean recursive, Consumer<Path> visit, Trouble trouble) {
        if (!recursive || !Files.isDirectory(top)) {
            visit.accept(top);
            return;
        }
        try {
            Path start = top.toRealPath();
            Object device = Files.getAttribute(start, "unix:dev");
            Files.walkFileTree(start, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                        throws IOException {
                    if (!device.equals(Files.getAttribute(directory, "unix:dev"))) {
                        return FileVisitResult.SKIP_SUBTREE;
                    }
                    visit.accept(directory.equals(start) ? top : top.resolve(start.relativize(directory)));
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (attributes.isRegularFile()) {
                        visit.accept(top.resolve(start.relativize(file)));
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException e) {
                    trouble.with(IoText.of(e));
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            trouble.with(IoText.of(e));
        }
    }
}
