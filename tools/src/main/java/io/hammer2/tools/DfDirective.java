package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.freemap.SpaceReport;
import io.hammer2.fs.freemap.SpaceReport.PfsSpace;
import io.hammer2.fs.volume.SpaceBudget;
import io.hammer2.lwkt.Lwkt;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code df}. */
@Command(
        name = "df",
        description = {
            "Shows whose the space of file systems is: shared by PFSs and snapshots, held by one only, waiting for bulkfree.",
            "Reads all metadata of the last commit, mounted or not; all mounted ones if none is named."
        })
final class DfDirective extends Directive {
    /** A bulkfree or a commit in the middle of it, on a mounted volume, is no damage. */
    private static final int TRIES = 3;

    @Parameters(
            paramLabel = "PATH",
            arity = "0..*",
            description = "A file of a mounted file system, a device or an image.")
    private List<String> paths;

    @Override
    void run() {
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        for (Target target : Target.of(paths, parent().path())) {
            try {
                SpaceReport report = look(target);
                if (json != null) {
                    write(json, target.name(), report);
                } else {
                    print(target.name(), report);
                }
                report.damage().forEach(line -> damage(target.name() + ": " + line));
                if (report.damageCount() > report.damage().size()) {
                    damage(target.name() + ": "
                            + (report.damageCount() - report.damage().size()) + " more tables that cannot be read");
                }
            } catch (ToolException e) {
                // The others can still be looked at.
                damage(e.getMessage());
            }
        }
        if (json != null) {
            json.endArray();
        }
    }

    private SpaceReport look(Target target) {
        return switch (target) {
            case Target.Devices devices -> look(devices.special());
            case Target.Mounted mounted -> {
                try (MountedFile file = MountedFile.open(mounted.path())) {
                    file.sync();
                }
                SpaceReport report = look(mounted.volume().special());
                for (int tries = 1; report.damageCount() > 0 && tries < TRIES; tries++) {
                    report = look(mounted.volume().special());
                }
                yield report;
            }
        };
    }

    private SpaceReport look(String special) {
        List<BlockDevice> devices = InspectedVolume.openDevices(special);
        Progress progress = progress();
        try (Lwkt lwkt = Lwkt.dedicated(1)) {
            boolean opened = false;
            try (Hammer2 volume =
                    Hammer2.open(lwkt, devices, MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
                opened = true;
                return volume.spaceReport(parent().memoryBytes(), percent -> progress.show(special, percent, 100));
            } finally {
                progress.clear();
                if (!opened) {
                    devices.forEach(InspectedVolume::closeQuietly);
                }
            }
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        }
    }

    private void print(String name, SpaceReport report) {
        out().println(name + ": " + Size.text(report.sizeBytes()));
        line("used", report.usedBytes(), report, "");
        if (report.pfss().size() > 1) {
            line("  shared", report.sharedBytes(), report, "held by several PFSs");
            line("  by one", report.usedBytes() - report.sharedBytes() - report.volumeBytes(), report, "");
        }
        line(
                "waiting",
                report.waitingBytes(),
                report,
                report.waitingBytes() == 0 ? "" : "deleted; comes back with: hammer2 bulkfree " + name);
        line(
                "free",
                report.freeBytes(),
                report,
                "of which " + Size.text(Math.min(report.freeBytes(), SpaceBudget.reserveOf(report.sizeBytes())))
                        + " are kept back for deleting");
        line("reserved", report.reservedBytes(), report, "headers, space map, boot and aux areas");
        if (report.unmappedBytes() > 0) {
            damage(name + ": " + Size.text(report.unmappedBytes())
                    + " are in use and yet free by the space map: do not write to it, and run fsck_hammer2");
        }
        out().println();
        out().println(String.format(Locale.ROOT, "  %-32s %14s %14s", "PFS", "data", "only here"));
        for (PfsSpace pfs : report.pfss()) {
            out().println(String.format(
                    Locale.ROOT,
                    "  %-32s %14s %14s%s",
                    pfs.label(),
                    Size.text(pfs.dataBytes()),
                    Size.text(pfs.onlyBytes()),
                    pfs.isSnapshot() ? "  snapshot" : ""));
        }
    }

    private void line(String what, long bytes, SpaceReport report, String note) {
        out().println(String.format(
                        Locale.ROOT,
                        "  %-12s %14s %5.1f%%  %s",
                        what,
                        Size.text(bytes),
                        100.0 * bytes / Math.max(1, report.sizeBytes()),
                        note)
                .stripTrailing());
    }

    private static void write(JsonWriter json, String name, SpaceReport report) {
        json.beginObject()
                .member("path", name)
                .member("sizeBytes", report.sizeBytes())
                .member("usedBytes", report.usedBytes())
                .member("sharedBytes", report.sharedBytes())
                .member("waitingBytes", report.waitingBytes())
                .member("freeBytes", report.freeBytes())
                .member("keptBackBytes", Math.min(report.freeBytes(), SpaceBudget.reserveOf(report.sizeBytes())))
                .member("reservedBytes", report.reservedBytes())
                .member("unmappedBytes", report.unmappedBytes())
                .member("damagedTables", report.damageCount())
                .name("pfss")
                .beginArray();
        for (PfsSpace pfs : report.pfss()) {
            json.beginObject()
                    .member("label", pfs.label())
                    .member("snapshot", pfs.isSnapshot())
                    .member("dataBytes", pfs.dataBytes())
                    .member("onlyBytes", pfs.onlyBytes())
                    .endObject();
        }
        json.endArray().endObject();
    }
}
