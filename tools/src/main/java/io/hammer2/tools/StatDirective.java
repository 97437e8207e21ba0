package io.hammer2.tools;

import io.hammer2.fs.media.InodeBlock;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code stat}. */
@Command(
        name = "stat",
        description =
                "Shows of files and directories how much they hold, stored bytes and inodes below, and how new blocks are"
                        + " compressed and checked.")
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
            out().println(line("NCPY", "DATA-USE", "INODES", "COMP", "CHECK", "DATA-QUOTA", "INODE-QUOTA", "PATH"));
        }
        for (String path : wanted) {
            try (MountedFile file = MountedFile.open(Path.of(path))) {
                InodeIoctls.InodeState state = new InodeIoctls(file).inode();
                if (json != null) {
                    write(json, path, state);
                } else {
                    print(path, state);
                }
            } catch (ToolException e) {
                damage(e.getMessage());
            }
        }
        if (json != null) {
            json.endArray();
        }
    }

    private void print(String path, InodeIoctls.InodeState state) {
        InodeBlock inode = state.inode();
        out().println(line(
                Integer.toString(inode.ncopies() + 1),
                Size.text(state.dataCount()),
                Long.toUnsignedString(state.inodeCount()),
                InodeText.compression(inode.compAlgo()),
                InodeText.check(inode.checkAlgo()),
                quota(inode.dataQuota()),
                quota(inode.inodeQuota()),
                path));
    }

    private static void write(JsonWriter json, String path, InodeIoctls.InodeState state) {
        InodeBlock inode = state.inode();
        json.beginObject().member("path", path).member("copies", inode.ncopies() + 1L);
        json.name("dataUse").unsigned(state.dataCount());
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
        return String.format(Locale.ROOT, "%-4s %12s %10s %-9s %-9s %-10s %-11s %s", columns);
    }
}
