package io.hammer2.fuse.jnr;

import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.kernel.MountPoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Where libfuse mounts, and how that is undone: by the system calls on Linux, by umount(8) elsewhere. */
interface HostMountPoint {
    Path path();

    /** What can be set of a mount only when it is there. */
    void mounted() throws IOException;

    /** @throws IOException when it is in use */
    void unmount() throws IOException;

    /** Unmounts in any case; what the host has cached of what was written reaches us before. */
    void detach() throws IOException;

    /** A directory to mount at; on Linux, what a dead server left there is detached. */
    static HostMountPoint prepare(Path directory, FuseMountOptions options) throws IOException {
        if (System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")) {
            return new OnLinux(MountPoint.prepare(directory, options));
        }
        if (!Files.isDirectory(directory)) {
            throw new NotDirectoryException(directory.toString());
        }
        return new Elsewhere(directory.toRealPath());
    }

    /** @param at what both transports share on Linux */
    record OnLinux(MountPoint at) implements HostMountPoint {
        @Override
        public Path path() {
            return at.path();
        }

        @Override
        public void mounted() throws IOException {
            at.widenCaching();
        }

        @Override
        public void unmount() throws IOException {
            at.unmount();
        }

        @Override
        public void detach() throws IOException {
            at.flushCache();
            at.detach();
        }
    }

    /** @param path without symbolic links */
    record Elsewhere(Path path) implements HostMountPoint {
        @Override
        public void mounted() {}

        @Override
        public void unmount() throws IOException {
            umount(List.of());
        }

        @Override
        public void detach() throws IOException {
            umount(List.of("-f"));
        }

        private void umount(List<String> options) throws IOException {
            List<String> command = new ArrayList<>(List.of("umount"));
            command.addAll(options);
            command.add(path.toString());
            try {
                if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) {
                    throw new IOException("cannot unmount " + path);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while unmounting " + path, e);
            }
        }
    }
}
