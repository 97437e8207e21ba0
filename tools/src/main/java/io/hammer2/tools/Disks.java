package io.hammer2.tools;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Disks and partitions of this machine with the header of a HAMMER2 volume, by their names in /dev.
 *
 * @param found in the order of their names
 * @param areUnreadable there are some that this user may not look at
 */
record Disks(List<String> found, boolean areUnreadable) {
    private static final Path BLOCK_DEVICES = Path.of("/sys/class/block");

    /** Looks at all; none where there is no sysfs(5). */
    static Disks withHammer2() {
        List<Path> disks = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(BLOCK_DEVICES)) {
            entries.forEach(entry -> disks.add(Path.of("/dev").resolve(entry.getFileName())));
        } catch (IOException | DirectoryIteratorException e) {
            // Not Linux.
        }
        disks.sort(null);
        List<String> found = new ArrayList<>();
        boolean unreadable = false;
        for (Path disk : disks) {
            unreadable |= Files.exists(disk) && !Files.isReadable(disk);
            if (Files.isReadable(disk) && isHammer2(disk)) {
                found.add(disk.toString());
            }
        }
        return new Disks(List.copyOf(found), unreadable);
    }

    private static boolean isHammer2(Path disk) {
        try (HeaderCopies copies = HeaderCopies.read(disk)) {
            return copies.best() >= 0;
        } catch (IOException e) {
            return false;
        }
    }
}
