package io.hammer2.tools;

import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code printinode}. */
@Command(
        name = "printinode",
        description = "Dumps the inode of a file of a mounted file system, as it lies on the medium.")
final class PrintinodeDirective extends Directive {
    @Parameters(paramLabel = "PATH", description = "A file or directory of a mounted file system.")
    private String path;

    @Override
    void run() {
        try (MountedFile file = MountedFile.open(Path.of(path))) {
            InodeIoctls.InodeState state = new InodeIoctls(file).inode();
            if (parent().isJson()) {
                JsonWriter json = json().beginObject().member("path", path);
                json.name("dataCount").unsigned(state.dataCount());
                json.name("inodeCount").unsigned(state.inodeCount());
                json.name("inode").beginObject();
                InodeText.fields(state.inode(), json::member);
                json.endObject().endObject();
                return;
            }
            out().println(path + ":");
            out().println("    data_count     " + Long.toUnsignedString(state.dataCount()));
            out().println("    inode_count    " + Long.toUnsignedString(state.inodeCount()));
            InodeText.fields(state.inode(), (name, value) -> out().println(String.format("    %-14s %s", name, value)));
        }
    }
}
