package io.hammer2.tools;

import io.hammer2.fs.pfs.Label;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Asks whoever serves a PFS that is mounted to roll it back: he mounts it anew, so no request on the mount itself could do. */
final class MountedRollback {
    private final MountedVolume mount;

    private MountedRollback(MountedVolume mount) {
        this.mount = mount;
    }

    /** Where a PFS of a volume is mounted; empty where it is not. */
    static Optional<MountedRollback> of(String special, Label label) {
        return MountedVolume.all().stream()
                .filter(mounted ->
                        mounted.special().equals(special) && mounted.label().equals(LabelText.of(label)))
                .findFirst()
                .map(MountedRollback::new);
    }

    /**
     * Has it done.
     *
     * @param keep name of a snapshot of what it holds, or null
     * @param places where who serves it may be found
     * @return the time in core, in ns
     * @throws ToolException where it is refused, or whoever serves it cannot be asked
     */
    long run(Label source, Label keep, List<Path> places) {
        if (keep != null) {
            try (MountedFile root = MountedFile.open(mount.mountPoint())) {
                // What it holds includes what the kernel caches of it; without a snapshot that is lost in any case.
                root.syncMount();
            }
        }
        MountMessages.Rollback question = new MountMessages.Rollback(
                MountMessages.namespace(),
                mount.label(),
                LabelText.of(source),
                keep == null ? null : LabelText.of(keep));
        for (Path socket : RuntimeFolder.sockets(places, mount.special())) {
            try {
                Optional<Long> done = ask(socket, question);
                if (done.isPresent()) {
                    return done.get();
                }
            } catch (IOException e) {
                // Nobody listens there any more.
            }
        }
        throw new ToolException("the PFS " + mount.label() + " is mounted at " + mount.mountPoint()
                + " by a process that cannot be asked from here (of another user, or in another mount namespace);"
                + " unmount it first");
    }

    private static Optional<Long> ask(Path socket, MountMessages.Question question) throws IOException {
        try (SocketChannel connection = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            MountMessages.ask(connection, question);
            String line = MountMessages.readLine(connection);
            int blank = line == null ? -1 : line.indexOf(' ');
            String word = blank < 0 ? "" : line.substring(0, blank);
            return switch (word) {
                case MountMessages.READY -> Optional.of(Long.parseLong(line.substring(blank + 1)));
                case MountMessages.REFUSED -> throw new ToolException(line.substring(blank + 1));
                case MountMessages.NOT_HERE -> Optional.empty();
                default ->
                    throw new ToolException("the process that serves the mount has ended meanwhile, or is of another"
                            + " version; hammer2 pfs-list and the mount table tell what there is now");
            };
        }
    }
}
