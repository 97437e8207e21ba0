package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.recover.RawMedium;
import io.hammer2.fs.recover.Salvage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code recover}, {@code recover-relaxed} and {@code recover-file}. */
abstract sealed class RecoverDirective extends Directive {
    /** A directory tree of a hostile volume is walked to its bound on the stack. */
    private static final long STACK_BYTES = 64L << 20;

    @Parameters(
            index = "0",
            paramLabel = "DEVICE",
            description = "Device or image; needs no valid header, and is not written to.")
    private String special;

    @Parameters(
            index = "1",
            paramLabel = "[/]PATH",
            description = "With a slash from the root of each PFS; without one wherever it is. / alone is everything.")
    private String path;

    @Parameters(
            index = "2",
            paramLabel = "DESTDIR",
            description = "Folder for what is recovered: empty, or to be made.")
    private Path destination;

    private final boolean isRelaxed;
    private final boolean filesOnly;

    private RecoverDirective(boolean isRelaxed, boolean filesOnly) {
        this.isRelaxed = isRelaxed;
        this.filesOnly = filesOnly;
    }

    /** {@code recover}. */
    @Command(
            name = "recover",
            description =
                    "Recovers files and directories from raw media, deleted ones and older versions, too. The newest"
                            + " version has its name, older ones .00001, .00002 ... behind it; what is damaged ends in"
                            + " .corrupted.")
    static final class Recover extends RecoverDirective {
        Recover() {
            super(false, false);
        }
    }

    /** {@code recover-relaxed}. */
    @Command(
            name = "recover-relaxed",
            description =
                    "As recover, and uses also inodes and tables whose check codes are wrong. Some of what it makes"
                            + " may be garbage.")
    static final class Relaxed extends RecoverDirective {
        Relaxed() {
            super(true, false);
        }
    }

    /** {@code recover-file}. */
    @Command(name = "recover-file", description = "As recover, of files only: a directory of that name is passed over.")
    static final class OfFile extends RecoverDirective {
        OfFile() {
            super(false, true);
        }
    }

    @Override
    void run() {
        List<BlockDevice> devices = InspectedVolume.openDevices(special);
        try (RawMedium medium = RawMedium.of(devices, isRelaxed);
                Progress progress = progress()) {
            Path folder = prepare();
            RecoveryFolder recovered = new RecoveryFolder(
                    folder, file -> restored(file, progress), line -> trouble(line, progress), progress);
            int roots = onLargeStack(medium, recovered);
            progress.clear();
            report(recovered, roots);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        } finally {
            devices.forEach(InspectedVolume::closeQuietly);
        }
    }

    private void restored(String file, Progress progress) {
        if (parent().verbosity() > 0 && !parent().isJson()) {
            progress.clear();
            out().println(file);
        }
    }

    private void trouble(String line, Progress progress) {
        if (!parent().isQuiet()) {
            progress.clear();
            tell(line);
        }
    }

    private Path prepare() throws IOException {
        var mounted = MountedVolume.of(destination);
        if (mounted.isPresent() && mounted.get().special().equals(MountedVolume.resolve(special))) {
            throw new ToolException(destination + ": is on " + special
                    + " itself, and what is written there destroys what is to be recovered; name a folder on"
                    + " another disk");
        }
        if (Files.exists(destination)) {
            if (!Files.isDirectory(destination)) {
                throw new ToolException(destination + ": not a directory");
            }
            try (Stream<Path> entries = Files.list(destination)) {
                if (entries.findAny().isPresent()) {
                    throw new ToolException(
                            destination + ": not empty; name a folder that is, or one that is not there yet");
                }
            }
        } else {
            Files.createDirectories(destination);
        }
        return destination.toRealPath();
    }

    private Salvage.Wanted wanted() {
        List<byte[]> names = new ArrayList<>();
        for (String name : path.split("/", -1)) {
            if (name.equals("..") || name.equals(".")) {
                throw new ToolException(path + ": a path without . and .. is wanted");
            }
            if (!name.isEmpty()) {
                names.add(name.getBytes(StandardCharsets.UTF_8));
            }
        }
        if (names.isEmpty() && !path.startsWith("/")) {
            throw new ToolException("a path is wanted; / alone is everything");
        }
        return new Salvage.Wanted(names, path.startsWith("/"), filesOnly);
    }

    private int onLargeStack(RawMedium medium, RecoveryFolder recovered) throws IOException {
        Salvage.Wanted wanted = wanted();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        int[] roots = {0};
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        roots[0] = Salvage.run(medium, wanted, recovered);
                    } catch (Throwable e) {
                        failure.set(e);
                    }
                },
                "recover",
                STACK_BYTES);
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException("interrupted", e);
        }
        return switch (failure.get()) {
            case null -> roots[0];
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new AssertionError(e);
        };
    }

    private void report(RecoveryFolder recovered, int roots) {
        if (parent().isJson()) {
            json().beginObject()
                    .member("device", special)
                    .member("path", path)
                    .member("destination", destination.toString())
                    .member("rootVersions", roots)
                    .member("files", recovered.files())
                    .member("olderVersions", recovered.versions())
                    .member("directories", recovered.directories())
                    .member("corrupted", recovered.corrupted())
                    .member("damagedEntries", recovered.missing())
                    .member("skipped", recovered.skipped())
                    .member("bytes", recovered.bytes())
                    .endObject();
        } else if (!parent().isQuiet()) {
            out().println(recovered.files() + " files (" + recovered.versions() + " of them older versions) and "
                    + recovered.directories() + " directories, " + Size.text(recovered.bytes()) + ", from " + roots
                    + " versions of roots, in " + destination);
        }
        if (recovered.files() + recovered.directories() == 0) {
            throw new ToolException(special + ": nothing of " + path + " was found"
                    + (roots == 0 ? ", and no root of a file system either: is it a HAMMER2 volume?" : ""));
        }
        if (recovered.corrupted() > 0) {
            damage(recovered.corrupted() + " of the files are damaged; their names end in .corrupted");
        }
    }
}
