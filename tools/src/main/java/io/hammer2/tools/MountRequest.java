package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What to mount where.
 *
 * @param special volumes, joined by ':'
 * @param label of the PFS, null for the one that the volume is for
 * @param node directory to mount at
 * @param options words of {@code -o}, as they were given
 */
record MountRequest(String special, String label, Path node, List<String> options) {
    /**
     * Reads the first argument of mount_hammer2.
     *
     * @param name {@code special}, {@code special@label}, or {@code @label} of what is mounted already (the first that has it)
     */
    static MountRequest of(String name, Path node, List<String> options) {
        int at = name.lastIndexOf('@');
        if (at == 0) {
            String label = name.substring(1);
            return new MountRequest(mountedVolumeWith(label), label, node, options);
        }
        // A device whose own name has an '@' in it is a device.
        boolean hasLabel = at > 0 && !exists(name);
        return new MountRequest(
                hasLabel ? name.substring(0, at) : name, hasLabel ? name.substring(at + 1) : null, node, options);
    }

    MountWords words() {
        return MountWords.of(options);
    }

    private static boolean exists(String special) {
        try {
            return BlockDevices.split(special).stream().allMatch(Files::exists);
        } catch (IOException e) {
            return false;
        }
    }

    private static String mountedVolumeWith(String label) {
        List<MountedVolume> mounted = MountedVolume.all();
        for (MountedVolume volume : mounted) {
            try (MountedFile file = MountedFile.open(volume.mountPoint())) {
                if (new PfsIoctls(file)
                        .list().stream().anyMatch(pfs -> pfs.label().equals(label))) {
                    return volume.special();
                }
            } catch (ToolException e) {
                // It is served by nobody any more, or not for us.
            }
        }
        throw new ToolException(
                mounted.isEmpty()
                        ? "no HAMMER2 file system is mounted that could have a PFS " + label
                                + "; name the device: SPECIAL@" + label
                        : "no mounted HAMMER2 file system has a PFS " + label
                                + "; hammer2 pfs-list shows what there is");
    }
}
