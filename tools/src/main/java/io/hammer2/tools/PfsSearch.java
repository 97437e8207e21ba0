package io.hammer2.tools;

import io.hammer2.fs.pfs.Label;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** On which volume a directive is to work that names PFSs by their labels. */
final class PfsSearch {
    /** What to do about it. */
    private static final String CHOOSE = "name a file of one, a device or an image with -s";

    /** The volume of -s; without that of the current directory; without that the only one that is mounted. */
    static Target volume(String path) {
        if (path != null) {
            return target(path);
        }
        Path here = Path.of("").toAbsolutePath();
        var around = MountedVolume.of(here);
        if (around.isPresent()) {
            return new Target.Mounted(here, around.get());
        }
        List<Target> mounted = mounted();
        if (mounted.size() > 1) {
            throw new ToolException("several volumes are mounted; " + CHOOSE);
        }
        return mounted.getFirst();
    }

    /**
     * The volume of -s; without that the mounted one that has a PFS of this name.
     *
     * @throws ToolException where none has, or more than one
     */
    static Target withLabel(String path, Label label) {
        if (path != null) {
            return target(path);
        }
        List<Target> found = new ArrayList<>();
        for (Target target : mounted()) {
            try (MountedPfss pfss = new MountedPfss((Target.Mounted) target)) {
                if (pfss.list().stream().anyMatch(row -> row.name().equals(label))) {
                    found.add(target);
                }
            } catch (ToolException e) {
                // A mount whose server is gone, or that others may not enter, has none that could be meant.
            }
        }
        if (found.isEmpty()) {
            throw new ToolException("no mounted volume has a PFS named " + LabelText.of(label) + "; " + CHOOSE);
        }
        if (found.size() > 1) {
            throw new ToolException(LabelText.of(label) + " is ambiguous, it is on "
                    + String.join(" and ", found.stream().map(Target::name).toList()) + "; " + CHOOSE);
        }
        return found.getFirst();
    }

    private static List<Target> mounted() {
        try {
            return Target.of(List.of(), null);
        } catch (ToolException e) {
            throw new ToolException("no HAMMER2 file system is mounted; name a device or an image with -s", e);
        }
    }

    /** As {@link Target#of(String)}; a device or image that is mounted is asked for where it is. */
    static Target target(String path) {
        Target target = Target.of(path);
        if (target instanceof Target.Devices devices) {
            String special = MountedVolume.resolve(devices.special());
            for (MountedVolume volume : MountedVolume.all()) {
                if (volume.special().equals(special)) {
                    return new Target.Mounted(volume.mountPoint(), volume);
                }
            }
        }
        return target;
    }

    private PfsSearch() {}
}
