package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevices;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the processes that serve mounts can be found by their user, and by nobody else: in a folder of mode 0700 a socket for each
 * server of a volume, and for each mount a file that goes when its last change is on the media.
 *
 * <pre>
 *   volume-HASH-PID-NUMBER.sock         of what is mounted from the devices that HASH is of
 *   mount-MAJOR:MINOR-PID-NUMBER        of the mount with this device number (umount_hammer2 waits for its end)
 * </pre>
 *
 * Each file has the name of its process in it and is that process's alone to make. So the next one that starts can remove what a killed one
 * has left, with no lock: no name that it sees to be of a dead process can be made anew meanwhile.
 */
final class RuntimeFolder {
    private static final String FOLDER = "hammer2";
    private static final int S_IFMT = 0xf000;
    private static final int S_IFDIR = 0x4000;
    private static final int S_IFBLK = 0x6000;
    private static final int OTHERS = 077;
    private static final int HASH_BYTES = 8;
    private static final int SERVERS_MAX = 1024;

    /** Of names of both kinds: the process is the third part. */
    private static final Pattern NAME = Pattern.compile("(?:mount|volume)-[^-]+-(\\d{1,9})-\\d+(?:\\.sock)?");

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

    /** The sockets of who serves these volumes, perhaps of somebody who has been killed; several serve what is only read. */
    static List<Path> sockets(List<Path> places, String special) {
        List<Path> sockets = new ArrayList<>();
        for (RuntimeFolder folder : existing(places)) {
            try (DirectoryStream<Path> found =
                    Files.newDirectoryStream(folder.path, "volume-" + identity(special) + "-*.sock")) {
                found.forEach(sockets::add);
            } catch (IOException | DirectoryIteratorException e) {
                // No such device, which is told when it is opened.
            }
        }
        return sockets;
    }

    /** A name for another socket of this process, to be asked about these volumes. */
    Path newSocket(String special) throws IOException {
        String prefix =
                "volume-" + identity(special) + "-" + ProcessHandle.current().pid() + "-";
        for (int number = 1; number <= SERVERS_MAX; number++) {
            Path socket = path.resolve(prefix + number + ".sock");
            if (!Files.exists(socket)) {
                return socket;
            }
        }
        throw new IOException(path + ": " + SERVERS_MAX + " sockets of this process and volume");
    }

    /** The same for the same devices, in any order and by any name. */
    private static String identity(String special) throws IOException {
        List<String> devices = new ArrayList<>();
        for (Path device : BlockDevices.split(special)) {
            Map<String, Object> found = Files.readAttributes(device, "unix:mode,dev,ino,rdev");
            boolean isBlock = ((Integer) found.get("mode") & S_IFMT) == S_IFBLK;
            devices.add(isBlock ? "b" + found.get("rdev") : "f" + found.get("dev") + ":" + found.get("ino"));
        }
        devices.sort(null);
        return hash(String.join(" ", devices));
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
        try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
            for (Path file : files) {
                Matcher name = NAME.matcher(file.getFileName().toString());
                if (name.matches()
                        && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()
                        && !isListening(file)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // They harm nobody.
        }
    }

    /** Whether it is a socket after all of a process that is alive: where folders are shared by containers, not all processes are seen. */
    private static boolean isListening(Path file) {
        try (SocketChannel other = SocketChannel.open(UnixDomainSocketAddress.of(file))) {
            return other.isConnected();
        } catch (IOException e) {
            return false;
        }
    }
}
