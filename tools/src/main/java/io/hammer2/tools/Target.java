package io.hammer2.tools;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a directive is to look at: a file of a mounted file system, or a device. */
sealed interface Target {
    /** A file of a mounted file system. */
    record Mounted(Path path, MountedVolume volume) implements Target {}

    /** Devices or images that are read without a mount. */
    record Devices(String special) implements Target {}

    /** How listings name it. */
    default String name() {
        return switch (this) {
            case Mounted mounted -> mounted.path().toString();
            case Devices devices -> devices.special();
        };
    }

    /** @throws ToolException when the argument is neither */
    static Target of(String argument) {
        Path path = Path.of(argument);
        var mount = MountedVolume.of(path);
        if (mount.isPresent()) {
            if (!Files.exists(path)) {
                throw new ToolException(argument + ": no such file");
            }
            return new Mounted(path, mount.get());
        }
        if (Files.isDirectory(path)) {
            throw new ToolException(
                    argument + ": not on a mounted HAMMER2 file system; name a file of one, or a device or an image");
        }
        return new Devices(argument);
    }

    /** The arguments; without any the path of -s; without that everything that is mounted. */
    static List<Target> of(List<String> arguments, String path) {
        List<Target> targets = new ArrayList<>();
        if (arguments != null && !arguments.isEmpty()) {
            arguments.forEach(argument -> targets.add(of(argument)));
        } else if (path != null) {
            targets.add(of(path));
        } else {
            List<String> seen = new ArrayList<>();
            for (MountedVolume volume : MountedVolume.all()) {
                // Several PFSs of a volume may be mounted; a listing of the volume is the same for all.
                if (!seen.contains(volume.special())) {
                    seen.add(volume.special());
                    targets.add(new Mounted(volume.mountPoint(), volume));
                }
            }
            if (targets.isEmpty()) {
                throw new ToolException("no HAMMER2 file system is mounted; name a device or an image");
            }
        }
        return targets;
    }
}
