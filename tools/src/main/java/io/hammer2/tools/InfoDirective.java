package io.hammer2.tools;

import io.hammer2.fs.media.VolumeHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code info}. */
@Command(
        name = "info",
        description =
                "Shows what file systems there are and which of their PFSs are mounted: those named, or else all mounted"
                        + " ones and those on the disks that can be read.")
final class InfoDirective extends Directive {
    @Parameters(paramLabel = "DEVICE", arity = "0..*", description = "Devices or images; need not be mounted.")
    private List<String> devices;

    @Override
    void run() {
        List<String> specials = devices == null || devices.isEmpty() ? found() : devices;
        List<MountedVolume> mounts = MountedVolume.all();
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        for (String special : specials) {
            // A file of a mounted file system stands for its volume.
            String device = Target.of(special) instanceof Target.Mounted mounted
                    ? mounted.volume().special()
                    : special;
            try (InspectedVolume volume = InspectedVolume.open(device)) {
                List<PfsRow> rows = volume.pfsRoots(this::damage).stream()
                        .map(root -> PfsRow.of(root.inode()))
                        .toList();
                if (json != null) {
                    write(json, device, volume, rows, mounts);
                } else {
                    print(device, volume, rows, mounts);
                }
            } catch (ToolException e) {
                damage(e.getMessage());
            }
        }
        if (json != null) {
            json.endArray();
        }
    }

    /** Mounted volumes, and disks and partitions with a HAMMER2 header. */
    private List<String> found() {
        List<String> specials = new ArrayList<>();
        for (MountedVolume volume : MountedVolume.all()) {
            if (!specials.contains(volume.special())) {
                specials.add(volume.special());
            }
        }
        Disks disks = Disks.withHammer2();
        disks.found().stream().filter(disk -> !specials.contains(disk)).forEach(specials::add);
        if (specials.isEmpty()) {
            throw new ToolException("no HAMMER2 file system found"
                    + (disks.areUnreadable() ? " (there are disks that only root may read)" : "")
                    + "; name a device or an image");
        }
        return specials;
    }

    private void print(String special, InspectedVolume volume, List<PfsRow> rows, List<MountedVolume> mounts) {
        VolumeHeader header = volume.header();
        out().println(special + ":");
        out().println("    version " + header.version() + ", " + Size.text(volume.sizeBytes()) + ", "
                + Size.text(header.allocatorFree()) + " free of " + Size.text(header.allocatorSize()));
        out().println("    fsid " + header.fsid() + ", transaction " + Long.toUnsignedString(header.mirrorTid())
                + ", header copy " + volume.volume().headerCopy());
        if (header.extensions() != 0) {
            out().println("    extensions: " + ExtensionText.of(header.extensions()) + " (" + ExtensionText.ZSTD + ")");
        }
        volume.volume().warnings().forEach(warning -> out().println("    warning: " + warning));
        out().println(line("Type", "Label", "Mounted on"));
        for (PfsRow row : rows) {
            out().println(line(row.type(), row.label(), String.join(" ", mountPoints(special, row.label(), mounts)))
                    .stripTrailing());
        }
    }

    private static void write(
            JsonWriter json, String special, InspectedVolume volume, List<PfsRow> rows, List<MountedVolume> mounts) {
        VolumeHeader header = volume.header();
        json.beginObject()
                .member("device", special)
                .member("version", header.version())
                .member("fsid", header.fsid().toString())
                .member("size", volume.sizeBytes())
                .member("allocatorSize", header.allocatorSize())
                .member("allocatorFree", header.allocatorFree())
                .member("headerCopy", volume.volume().headerCopy());
        ExtensionText.write(json, header.extensions());
        json.name("mirrorTid").unsigned(header.mirrorTid());
        json.name("warnings").beginArray();
        volume.volume().warnings().forEach(json::value);
        json.endArray().name("pfs").beginArray();
        for (PfsRow row : rows) {
            json.beginObject()
                    .member("type", row.type())
                    .member("label", row.label())
                    .member("clid", row.clid().toString())
                    .member("fsid", row.fsid().toString())
                    .name("mountedOn")
                    .beginArray();
            mountPoints(special, row.label(), mounts).forEach(json::value);
            json.endArray().endObject();
        }
        json.endArray().endObject();
    }

    private static List<String> mountPoints(String special, String label, List<MountedVolume> mounts) {
        List<String> points = new ArrayList<>();
        String resolved = MountedVolume.resolve(special);
        for (MountedVolume mount : mounts) {
            if (mount.special().equals(resolved) && mount.label().equals(label)) {
                points.add(mount.mountPoint().toString());
            }
        }
        return points;
    }

    private static String line(String type, String label, String mounted) {
        return String.format(Locale.ROOT, "    %-11s %-24s %s", type, label, mounted);
    }
}
