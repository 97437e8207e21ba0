package io.hammer2.blockdev;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A device or an image of which a few blocks are looked at, without any lock, by a command that is over in a moment: read through the JDK's
 * channels and the page cache. Binding the native calls of the other devices takes longer than all else that such a command does.
 *
 * <p>Who reads much, or what a failing disk still gives, opens with {@link OpenMode#INSPECT}.
 */
public final class InspectedDevice extends HostBlockDevice {
    private final FileChannel channel;

    private InspectedDevice(Path path, FileChannel channel, long sizeBytes) {
        super(path, true, sizeBytes);
        this.channel = channel;
    }

    /** @throws IOException when it does not exist, is neither image nor block device, or cannot be opened; the message begins with the path */
    public static InspectedDevice open(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw new NoSuchFileException(path.toString(), null, "no such file or device");
        }
        if (!BlockDevices.isImageOrDevice(path)) {
            throw BlockDevices.neither(path);
        }
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new InspectedDevice(path, channel, channel.size());
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** The devices of a specification, see {@link BlockDevices#openAll}: all or none. */
    public static List<BlockDevice> openAll(String specification) throws IOException {
        List<BlockDevice> opened = new ArrayList<>();
        try {
            for (Path path : BlockDevices.split(specification)) {
                opened.add(open(path));
            }
        } catch (IOException | RuntimeException e) {
            for (BlockDevice device : opened) {
                device.close();
            }
            throw e;
        }
        return List.copyOf(opened);
    }

    @Override
    long sizeNow() throws IOException {
        return channel.size();
    }

    @Override
    public int alignmentBytes() {
        return 1;
    }

    // Read-only: these are refused before they come here.

    @Override
    void writeNow(long offsetBytes, MemorySegment from) {
        throw new AssertionError(path + " is only looked at");
    }

    @Override
    void flushNow() {
        throw new AssertionError(path + " is only looked at");
    }

    @Override
    void discardNow(long offsetBytes, long lengthBytes) {
        throw new AssertionError(path + " is only looked at");
    }

    @Override
    void release() throws IOException {
        channel.close();
    }

    @Override
    void readNow(long offsetBytes, MemorySegment into) throws IOException {
        ByteBuffer rest = into.asByteBuffer();
        while (rest.hasRemaining()) {
            int n;
            try {
                n = channel.read(rest, offsetBytes + rest.position());
            } catch (IOException e) {
                throw new IOException(
                        path + ": read of " + into.byteSize() + " bytes at offset " + offsetBytes + " failed: "
                                + e.getMessage(),
                        e);
            }
            if (n < 0) {
                throw new IOException(path + ": read of " + into.byteSize() + " bytes at offset " + offsetBytes
                        + " ended after " + rest.position() + ": the device has shrunk or vanished");
            }
        }
    }
}
