package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.PfsDifference;
import io.hammer2.fs.pfs.Label;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code diff}. */
@Command(
        name = "diff",
        description =
                "Shows how two PFSs or snapshots of a volume differ, in time for what differs: what both share is not read.",
        footer = {
            "",
            "A line for each path: A added, D deleted, M content or attributes modified, R renamed (to the path behind ->).",
            "The volume is that of -s, or the mounted one that has a PFS of the first name. Needs the right to read its devices."
        })
final class DiffDirective extends Directive {
    @Parameters(index = "0", paramLabel = "OLD", description = "A PFS or snapshot.")
    private String before;

    @Parameters(index = "1", paramLabel = "NEW", description = "Another of the same volume.")
    private String after;

    @Override
    void run() {
        Label one = LabelText.parse(before);
        Label other = LabelText.parse(after);
        Target target = PfsSearch.withLabel(parent().path(), one);
        for (PfsDifference difference : compare(target, one, other)) {
            if (json == null && parent().isJson()) {
                json = json().beginArray();
            }
            show(difference);
        }
        if (parent().isJson()) {
            (json == null ? json().beginArray() : json).endArray();
        }
    }

    private JsonWriter json;

    private void show(PfsDifference difference) {
        if (json == null) {
            out().println(difference.kind().letter() + " " + difference.path()
                    + (difference.newPath() == null ? "" : " -> " + difference.newPath()));
            return;
        }
        json.beginObject()
                .member("kind", difference.kind().name().toLowerCase(java.util.Locale.ROOT))
                .member("path", difference.path());
        if (difference.newPath() != null) {
            json.member("newPath", difference.newPath());
        }
        json.member(
                        "type",
                        difference.type() == null
                                ? null
                                : difference.type().name().toLowerCase(java.util.Locale.ROOT))
                .endObject();
    }

    private List<PfsDifference> compare(Target target, Label one, Label other) {
        String special = switch (target) {
            case Target.Mounted mounted -> {
                commit(mounted);
                yield mounted.volume().special();
            }
            case Target.Devices devices -> devices.special();
        };
        List<BlockDevice> devices = InspectedVolume.openDevices(special);
        try (Lwkt lwkt = Lwkt.dedicated(1)) {
            boolean opened = false;
            try (Hammer2 volume =
                    Hammer2.open(lwkt, devices, MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, this::tell))) {
                opened = true;
                return lwkt.run(0, () -> volume.pfss().compare(one, other));
            } finally {
                if (!opened) {
                    devices.forEach(InspectedVolume::closeQuietly);
                }
            }
        } catch (FsException e) {
            throw new ToolException(
                    special + ": " + e.what()
                            + (target instanceof Target.Mounted && e.errno() == io.hammer2.fs.Errno.EIO
                                    ? "; if it was changed meanwhile, try again"
                                    : ""),
                    e);
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** What is asked for its statistics commits first; what is not yet on the media would not be seen. */
    private static void commit(Target.Mounted mounted) {
        try {
            Files.getFileStore(mounted.path()).getTotalSpace();
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
    }
}
