package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevices;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.volume.Growth;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code growfs}. */
@Command(
        name = "growfs",
        description = {
            "Lets file systems use all of a device that was enlarged, mounted or not; all mounted ones if none is named.",
            "Enlarge the partition, the disk or the image file first, or an image file with --size."
        })
final class GrowfsDirective extends Directive {
    @Parameters(
            paramLabel = "PATH",
            arity = "0..*",
            description = "A file of a mounted file system, a device or an image.")
    private List<String> paths;

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            converter = Size.Parser.class,
            description = "Make the image file so large first.")
    private Long sizeBytes;

    @Override
    void run() {
        List<Target> targets = Target.of(paths, parent().path());
        if (sizeBytes != null && targets.size() > 1) {
            throw new ToolException("--size is for one image, not for " + targets.size());
        }
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        for (Target target : targets) {
            try {
                show(json, target.name(), grow(target));
            } catch (ToolException e) {
                // The others may still grow.
                damage(e.getMessage());
            }
        }
        if (json != null) {
            json.endArray();
        }
    }

    /** Exit code 0 also where there was nothing to grow into: it is as large as it can be, which is what was asked for. */
    private void show(JsonWriter json, String name, Growth.Result grown) {
        if (json != null) {
            json.beginObject()
                    .member("path", name)
                    .member("oldSize", grown.beforeBytes())
                    .member("size", grown.afterBytes())
                    .member("grown", grown.isChanged())
                    .endObject();
        } else if (!parent().isQuiet()) {
            out().println(name + ": "
                    + (grown.isChanged()
                            ? "grown from " + Size.text(grown.beforeBytes()) + " to " + Size.text(grown.afterBytes())
                            : "nothing to grow: it has " + Size.text(grown.afterBytes())
                                    + ", all that its device has in units of 8 MiB"));
        }
    }

    private Growth.Result grow(Target target) {
        return switch (target) {
            case Target.Mounted mounted -> {
                long before = sizeOf(mounted.volume().special());
                enlarge(mounted.volume().special());
                try (MountedFile file = MountedFile.open(mounted.path())) {
                    yield new Growth.Result(
                            before, new VolumeIoctls(file).grow(0).sizeBytes());
                }
            }
            case Target.Devices devices -> {
                // Also a check that it is a volume, before anything of it is changed.
                long ignored = sizeOf(devices.special());
                assert ignored > 0;
                enlarge(devices.special());
                try {
                    yield OpenedVolume.with(devices.special(), this::tell, volume -> volume.grow(0));
                } catch (Hammer2Exception e) {
                    throw new ToolException(e.getMessage(), e);
                }
            }
        };
    }

    private static long sizeOf(String special) {
        try (InspectedVolume volume = InspectedVolume.open(special)) {
            int members = volume.volume().devices().members().size();
            if (members > 1) {
                throw new ToolException(special + ": a file system of " + members
                        + " volumes cannot grow; only one of a single volume can");
            }
            return volume.sizeBytes();
        }
    }

    private void enlarge(String special) {
        if (sizeBytes == null) {
            return;
        }
        try {
            Path image = BlockDevices.split(special).getFirst();
            if (!Files.isRegularFile(image)) {
                throw new ToolException(
                        special + ": --size is for image files; enlarge a device with the tools for it");
            }
            if (sizeBytes < Files.size(image)) {
                throw new ToolException(special + ": has " + Size.text(Files.size(image)) + " and cannot shrink to "
                        + Size.text(sizeBytes));
            }
            try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
                file.setLength(sizeBytes);
            }
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
    }
}
