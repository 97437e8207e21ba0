package io.hammer2.tools;

import io.hammer2.blockdev.VolumeSet;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code volume-list}. */
@Command(name = "volume-list", description = "Lists the volumes of file systems, of all mounted ones if none is named.")
final class VolumeListDirective extends Directive {
    @Parameters(
            paramLabel = "PATH",
            arity = "0..*",
            description = "A file of a mounted file system, a device or an image.")
    private List<String> paths;

    @Override
    void run() {
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        for (Target target : Target.of(paths, parent().path())) {
            // FUSE cannot carry a structure of this size, but the mount table names the devices.
            String special = switch (target) {
                case Target.Mounted mounted -> mounted.volume().special();
                case Target.Devices devices -> devices.special();
            };
            try (InspectedVolume volume = InspectedVolume.open(special)) {
                if (json != null) {
                    write(json, target.name(), volume);
                } else {
                    print(target.name(), volume);
                }
            }
        }
        if (json != null) {
            json.endArray();
        }
    }

    private void print(String name, InspectedVolume volume) {
        List<VolumeSet.Member> members = volume.volume().devices().members();
        out().println(name + ":");
        out().println("    version " + volume.header().version() + ", "
                + (members.size() == 1 ? "1 volume, " : members.size() + " volumes, ") + Size.text(volume.sizeBytes()));
        out().println(line("Id", "Offset", "Size", "Device"));
        for (int id = 0; id < members.size(); id++) {
            VolumeSet.Member member = members.get(id);
            out().println(line(
                    Integer.toString(id),
                    String.format(Locale.ROOT, "%016x", member.logicalOffsetBytes()),
                    String.format(Locale.ROOT, "%016x", member.sizeBytes()),
                    member.device().name()));
        }
    }

    private static void write(JsonWriter json, String name, InspectedVolume volume) {
        json.beginObject()
                .member("path", name)
                .member("version", volume.header().version())
                .member("totalSize", volume.sizeBytes())
                .name("volumes")
                .beginArray();
        int id = 0;
        for (VolumeSet.Member member : volume.volume().devices().members()) {
            json.beginObject()
                    .member("id", id++)
                    .member("device", member.device().name())
                    .member("offset", member.logicalOffsetBytes())
                    .member("size", member.sizeBytes())
                    .endObject();
        }
        json.endArray().endObject();
    }

    private static String line(String id, String offset, String size, String device) {
        return String.format(Locale.ROOT, "    %-3s %-16s %-16s %s", id, offset, size, device);
    }
}
