package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where the processes that serve mounts can be found by their user, and by nobody else: in a folder of mode 0700 a socket for each
 * volume, and for each mount a file that goes when its last change is on the media.
 *
 * <pre>
 *   volume-HASH.sock                    of what is mounted from the devices that HASH is of
 *   mount-MAJOR:MINOR-PID-NUMBER        of the mount with this device number (umount_hammer2 waits for its end)
 * </pre>
 */
final class RuntimeFolder {
    private static final String FOLDER = "hammer2";
    private static final int S_IFMT = 0xf000;
    private static final int S_IFDIR = 0x4000;
    private static final int S_IFBLK = 0x6000;
    private static final int OTHERS = 077;
    private static final int HASH_BYTES = 8;
    private static final int MARK_PARTS = 4;

    private final Path path;

    private RuntimeFolder(Path path) {
        this.path = path;
    }

    /** Where it may be, the best place first. scripts/umount_hammer2 knows the same ones. */
    static List<Path> places() {
        int uid = Daemon.uid();
        List<Path> places = new ArrayList<>();
        if (uid == 0) {
            // Not XDG_RUNTIME_DIR: sudo may keep that of the user.
            places.add(Path.of("/run", FOLDER));
        } else {
            String runtime = System.getenv("XDG_RUNTIME_DIR");
            if (runtime != null && runtime.startsWith("/")) {
                places.add(Path.of(runtime, FOLDER));
            }
            places.add(Path.of("/run/user", Integer.toString(uid), FOLDER));
        }
        places.add(Path.of("/tmp", FOLDER + "-" + uid));
        return places;
    }

    /** The first of the places that is there, or can be made; none where nothing can be written. */
    static Optional<RuntimeFolder> open(List<Path> places) {
        for (Path place : places) {
            try {
                Files.createDirectory(
                        place, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            } catch (FileAlreadyExistsException e) {
                // Looked at below.
            } catch (IOException | UnsupportedOperationException e) {
                continue;
            }
            if (isPrivate(place)) {
                RuntimeFolder folder = new RuntimeFolder(place);
                folder.sweep();
                return Optional.of(folder);
            }
        }
        return Optional.empty();
    }

    /** Those of the places that are there and can be trusted. */
    static List<RuntimeFolder> existing(List<Path> places) {
        return places.stream()
                .filter(RuntimeFolder::isPrivate)
                .map(RuntimeFolder::new)
                .toList();
    }

    /** A folder in /tmp may have been put there by anybody. */
    private static boolean isPrivate(Path place) {
        try {
            Map<String, Object> found = Files.readAttributes(place, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
            int mode = (Integer) found.get("mode");
            return (mode & S_IFMT) == S_IFDIR && (mode & OTHERS) == 0 && (Integer) found.get("uid") == Daemon.uid();
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    Path path() {
        return path;
    }

    /** The socket of who serves these volumes: the same for the same devices, in any order and by any name. */
    Path socket(String special) throws IOException {
        List<String> devices = new ArrayList<>();
        for (Path device : BlockDevices.split(special)) {
            Map<String, Object> found = Files.readAttributes(device, "unix:mode,dev,ino,rdev");
            boolean isBlock = ((Integer) found.get("mode") & S_IFMT) == S_IFBLK;
            devices.add(isBlock ? "b" + found.get("rdev") : "f" + found.get("dev") + ":" + found.get("ino"));
        }
        devices.sort(null);
        return path.resolve("volume-" + hash(String.join(" ", devices)) + ".sock");
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, HASH_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Marks a mount as not yet on the media.
     *
     * @param device its number, {@code MAJOR:MINOR}
     * @param number no other mount of this process has it
     * @return the file to delete when it is
     */
    Path mark(String device, int number) throws IOException {
        Path mark =
                path.resolve("mount-" + device + "-" + ProcessHandle.current().pid() + "-" + number);
        // Of an earlier process with our number, if at all.
        Files.deleteIfExists(mark);
        return Files.createFile(mark);
    }

    /** What processes left behind that were killed. */
    private void sweep() {
        try (DirectoryStream<Path> marks = Files.newDirectoryStream(path, "mount-*")) {
            for (Path mark : marks) {
                String[] parts = mark.getFileName().toString().split("-", MARK_PARTS);
                if (parts.length == MARK_PARTS
                        && parts[2].matches("\\d{1,9}")
                        && ProcessHandle.of(Long.parseLong(parts[2])).isEmpty()) {
                    Files.deleteIfExists(mark);
                }
            }
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            // They harm nobody.
        }
    }
}
