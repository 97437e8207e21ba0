package io.hammer2.tools;

import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code stat}. */
@Command(
        name = "stat",
        description = {
            "Shows of files and directories how much they hold, stored bytes and inodes below, and how new blocks are"
                    + " compressed and checked.",
            "Of a file also its size, and how much less of it is stored: by compression, holes and zeros. Of a directory"
                    + " that takes a look at all below it, with -r: of a whole PFS for instance."
        })
final class StatDirective extends Directive {
    @Parameters(
            paramLabel = "PATH",
            arity = "0..*",
            description = "Files of mounted file systems; default: the path of -s, or .")
    private List<String> paths;

    @Override
    void run() {
        List<String> wanted =
                paths == null || paths.isEmpty() ? List.of(parent().path() == null ? "." : parent().path()) : paths;
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        if (json == null) {
            out().println(line(
                    "NCPY",
                    "DATA-USE",
                    "LOGICAL",
                    "SAVED",
                    "INODES",
                    "COMP",
                    "CHECK",
                    "DATA-QUOTA",
                    "INODE-QUOTA",
                    "PATH"));
        }
        for (String path : wanted) {
            try (MountedFile file = MountedFile.open(Path.of(path))) {
                InodeIoctls.InodeState state = new InodeIoctls(file).inode();
                Saving saving = saving(Path.of(path), state);
                if (json != null) {
                    write(json, path, state, saving);
                } else {
                    print(path, state, saving);
                }
            } catch (ToolException e) {
                damage(e.getMessage());
            }
        }
        if (json != null) {
            json.endArray();
        }
    }

    /**
     * What is saved of file data.
     *
     * @param logicalBytes sizes of the files
     * @param storedBytes what they take
     */
    private record Saving(long logicalBytes, long storedBytes) {
        static final Saving NONE = new Saving(0, 0);

        static Saving of(InodeIoctls.InodeState state) {
            InodeBlock inode = state.inode();
            long size = inode.sizeBytes();
            // What lies in the inode itself takes no more and no less.
            return new Saving(size, inode.isDirectData() ? size : state.dataCount());
        }

        Saving plus(Saving other) {
            return new Saving(logicalBytes + other.logicalBytes, storedBytes + other.storedBytes);
        }

        /** Of the size; negative where blocks are larger than what is in them. */
        String percent() {
            double saved = 1 - (double) storedBytes / logicalBytes;
            return logicalBytes == 0 ? "-" : String.format(Locale.ROOT, "%.1f%%", 100 * saved);
        }
    }

    /** Null of a directory that is not looked into. */
    private Saving saving(Path path, InodeIoctls.InodeState state) {
        if (state.inode().typeCode() == FileType.REGULAR.code()) {
            return Saving.of(state);
        }
        if (!parent().isRecursive()) {
            return null;
        }
        Saving[] sum = {Saving.NONE};
        Below.walk(path, true, each -> sum[0] = sum[0].plus(savingOf(each)), this::damage);
        return sum[0];
    }

    private Saving savingOf(Path path) {
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            return Saving.NONE;
        }
        try (MountedFile file = MountedFile.open(path)) {
            return Saving.of(new InodeIoctls(file).inode());
        } catch (ToolException e) {
            damage(e.getMessage());
            return Saving.NONE;
        }
    }

    private void print(String path, InodeIoctls.InodeState state, Saving saving) {
        InodeBlock inode = state.inode();
        out().println(line(
                Integer.toString(inode.ncopies() + 1),
                Size.text(state.dataCount()),
                saving == null ? "-" : Size.text(saving.logicalBytes),
                saving == null ? "-" : saving.percent(),
                Long.toUnsignedString(state.inodeCount()),
                InodeText.compression(inode.compAlgo()),
                InodeText.check(inode.checkAlgo()),
                quota(inode.dataQuota()),
                quota(inode.inodeQuota()),
                path));
    }

    private static void write(JsonWriter json, String path, InodeIoctls.InodeState state, Saving saving) {
        InodeBlock inode = state.inode();
        json.beginObject().member("path", path).member("copies", inode.ncopies() + 1L);
        json.name("dataUse").unsigned(state.dataCount());
        if (saving != null) {
            json.name("logical").unsigned(saving.logicalBytes);
            json.name("stored").unsigned(saving.storedBytes);
        }
        json.name("inodes").unsigned(state.inodeCount());
        json.member("compression", InodeText.compression(inode.compAlgo()))
                .member("check", InodeText.check(inode.checkAlgo()));
        json.name("dataQuota").unsigned(inode.dataQuota());
        json.name("inodeQuota").unsigned(inode.inodeQuota());
        json.endObject();
    }

    private static String quota(long quota) {
        return quota == 0 ? "-" : Long.toUnsignedString(quota);
    }

    private static String line(Object... columns) {
        return String.format(Locale.ROOT, "%-4s %12s %12s %7s %10s %-9s %-9s %-10s %-11s %s", columns);
    }
}
