package io.hammer2.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code mountall}. DragonFly's mounts at /var/hammer2/LOCAL.NAME, NAME being the last part of the device's path; so does this. */
@Command(
        name = "mountall",
        description =
                "Mounts the PFS LOCAL of volumes, of all disks if none is named, at /var/hammer2/LOCAL.NAME, where NAME"
                        + " is the last part of the device's path. What is mounted there already is passed over.")
final class MountallDirective extends Directive {
    private static final String LABEL = "LOCAL";

    @Parameters(
            paramLabel = "DEVICE",
            arity = "0..*",
            description = "Devices or images; default: disks with a HAMMER2 file system.")
    private List<String> devices;

    @Option(
            names = "--under",
            paramLabel = "DIR",
            description = "Folder for the mount points; default ${DEFAULT-VALUE}.")
    private Path under = Path.of("/var/hammer2");

    @Override
    void run() {
        List<String> specials = devices == null || devices.isEmpty() ? disks() : devices;
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        for (String special : specials) {
            try {
                Path node = node(special);
                boolean isNew = mount(special, node);
                if (json != null) {
                    json.beginObject()
                            .member("device", special)
                            .member("label", LABEL)
                            .member("mountedOn", node.toString())
                            .member("new", isNew)
                            .endObject();
                } else if (!parent().isQuiet()) {
                    out().println(special + "@" + LABEL + " on " + node + (isNew ? "" : " (already)"));
                }
            } catch (ToolException e) {
                // The others may still be mounted.
                damage(e.getMessage());
            }
        }
        if (json != null) {
            json.endArray();
        }
    }

    private static List<String> disks() {
        Disks disks = Disks.withHammer2();
        if (disks.found().isEmpty()) {
            throw new ToolException("no disk with a HAMMER2 file system found"
                    + (disks.areUnreadable() ? " (there are disks that only root may read)" : "")
                    + "; name a device or an image");
        }
        return disks.found();
    }

    private Path node(String special) {
        // Looked at before a folder is made for it.
        try (InspectedVolume volume = InspectedVolume.open(special)) {
            boolean hasLocal = volume.pfsRoots(this::damage).stream()
                    .map(root -> PfsRow.of(root.inode()))
                    .anyMatch(pfs -> pfs.label().equals(LABEL));
            if (!hasLocal) {
                throw new ToolException(special + ": it has no PFS " + LABEL);
            }
        }
        String first = special.indexOf(':') < 0 || Files.exists(Path.of(special))
                ? special
                : special.substring(0, special.indexOf(':'));
        Path node = under.resolve(
                LABEL + "." + Path.of(first).toAbsolutePath().normalize().getFileName());
        try {
            makePrivate(under);
            makePrivate(node);
            return node.toRealPath();
        } catch (IOException e) {
            throw new ToolException(IoText.of(e) + "; --under names another folder for the mount points", e);
        }
    }

    private static void makePrivate(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            Files.createDirectory(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
    }

    private boolean mount(String special, Path node) {
        String resolved = MountedVolume.resolve(special);
        for (MountedVolume mounted : MountedVolume.all()) {
            if (mounted.mountPoint().equals(node)
                    && mounted.special().equals(resolved)
                    && mounted.label().equals(LABEL)) {
                return false;
            }
        }
        if (MountLauncher.launch(special + "@" + LABEL, node.toString()) != 0) {
            throw new ToolException(special + ": " + LABEL + " could not be mounted; what is said above tells why");
        }
        return true;
    }
}
