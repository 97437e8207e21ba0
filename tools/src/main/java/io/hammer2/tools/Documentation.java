package io.hammer2.tools;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.AutoComplete;
import picocli.CommandLine;

/** Writes the man pages and the shell completion of all commands; scripts/install runs it. */
final class Documentation {
    private static final List<String> PAGES =
            List.of("hammer2", "newfs_hammer2", "mount_hammer2", "umount_hammer2", "fsck_hammer2");

    private Documentation() {}

    /** {@code Documentation DIR VERSION}: makes {@code DIR/man8} and {@code DIR/completions}. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Path pages = Files.createDirectories(folder.resolve("man8"));
        Path completions = Files.createDirectories(folder.resolve("completions"));
        for (Map.Entry<String, CommandLine> command : commands().entrySet()) {
            String name = command.getKey();
            Files.writeString(pages.resolve(name + ".8"), ManualPage.of(command.getValue(), arguments[1], PAGES));
            Files.writeString(completions.resolve(name), AutoComplete.bash(name, command.getValue()));
        }
    }

    /** By their names. */
    static Map<String, CommandLine> commands() {
        Console nowhere = Console.to(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        Map<String, CommandLine> commands = new LinkedHashMap<>();
        commands.put("hammer2", Hammer2Command.model(nowhere));
        commands.put("newfs_hammer2", NewfsCommand.model(nowhere));
        commands.put("mount_hammer2", MountCommand.model(nowhere));
        commands.put("fsck_hammer2", FsckCommand.model(nowhere));
        return commands;
    }
}
