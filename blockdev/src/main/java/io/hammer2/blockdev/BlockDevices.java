package io.hammer2.blockdev;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Opens what a path names: an image file or a raw device. */
public final class BlockDevices {
    private static final int S_IFMT = 0xf000;
    private static final int S_IFCHR = 0x2000;
    private static final int S_IFBLK = 0x6000;
    private static final int S_IFREG = 0x8000;

    /** Asked without the native calls of {@link Posix}, which take their time to bind. */
    private static final boolean IS_MACOS = System.getProperty("os.name").startsWith("Mac");

    private BlockDevices() {}

    /**
     * Opens an image file or a raw device.
     *
     * @throws DeviceBusyException when somebody else has it open in a way that excludes {@code mode}
     * @throws IOException when it does not exist, is neither, or cannot be opened; the message begins with the path
     */
    public static BlockDevice open(Path path, OpenMode mode) throws IOException {
        int type = type(path);
        // macOS names the uncached form of a disk by a character device.
        if (type == S_IFBLK || (type == S_IFCHR && IS_MACOS)) {
            return RawBlockDevice.open(path, mode);
        }
        if (type == S_IFREG) {
            return FileBlockDevice.open(path, mode);
        }
        throw neither(path);
    }

    /** By its type: nothing else is even opened, since a fifo would block for ever. */
    static boolean isImageOrDevice(Path path) throws IOException {
        int type = type(path);
        return type == S_IFREG || type == S_IFBLK || (type == S_IFCHR && IS_MACOS);
    }

    static IOException neither(Path path) {
        return new IOException(path + ": neither an image file nor a block device");
    }

    /**
     * Opens the devices of a specification such as {@code /dev/sda1:/dev/sdb1}: all or none.
     *
     * <p>A colon may also be part of a name (as below {@code /dev/disk/by-path}): the longest run of parts that names
     * something that exists is one device.
     */
    public static List<BlockDevice> openAll(String specification, OpenMode mode) throws IOException {
        List<BlockDevice> opened = new ArrayList<>();
        try {
            for (Path path : split(specification)) {
                opened.add(open(path, mode));
            }
        } catch (IOException | RuntimeException e) {
            for (BlockDevice device : opened) {
                try {
                    device.close();
                } catch (IOException suppressed) {
                    e.addSuppressed(suppressed);
                }
            }
            throw e;
        }
        return List.copyOf(opened);
    }

    /** The paths that a specification names, see {@link #openAll}. */
    public static List<Path> split(String specification) throws IOException {
        List<String> parts = List.of(specification.split(":", -1));
        List<Path> paths = new ArrayList<>();
        for (int from = 0; from < parts.size(); ) {
            int end = parts.size();
            while (end > from + 1 && !Files.exists(Path.of(String.join(":", parts.subList(from, end))))) {
                end--;
            }
            String name = String.join(":", parts.subList(from, end));
            if (name.isEmpty()) {
                throw new IOException("empty device name in '" + specification + "'");
            }
            paths.add(Path.of(name));
            from = end;
        }
        return paths;
    }

    private static int type(Path path) throws IOException {
        try {
            return (Integer) Files.getAttribute(path, "unix:mode") & S_IFMT;
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(path.toString(), null, "no such file or device");
        }
    }
}
