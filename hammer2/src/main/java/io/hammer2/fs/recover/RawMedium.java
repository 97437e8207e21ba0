package io.hammer2.fs.recover;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.VolumeSet;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.CodecException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.Limits;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The devices of a file system as they are, joined in the order in which they are given: no header is needed, and none is believed. For one thread.
 */
public final class RawMedium implements AutoCloseable {
    private static final long CACHE_BYTES = 32L << 20;

    private final VolumeSet devices;
    private final boolean isRelaxed;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment buffer = arena.allocate(Limits.BLOCK_BYTES_MAX, 4096);

    /** Inodes and indirect blocks, the least recently used first. */
    private final LinkedHashMap<BlockRef, byte[]> cache = new LinkedHashMap<>(1024, 0.75f, true);

    private long cachedBytes;

    private RawMedium(VolumeSet devices, boolean isRelaxed) {
        this.devices = devices;
        this.isRelaxed = isRelaxed;
    }

    /**
     * Joins devices, which are closed with the result. Each counts up to a whole multiple of 8 MiB, and all but the last up to one of 1 GiB, as
     * the volumes of a file system do (format sections 2.1, 2.4).
     *
     * @param isRelaxed inodes and tables are used even if their check codes are wrong
     * @throws IOException when a device is too small to be a volume
     */
    public static RawMedium of(List<BlockDevice> devices, boolean isRelaxed) throws IOException {
        return of(devices, isRelaxed, Long.MAX_VALUE);
    }

    /** As {@link #of(List, boolean)}, of the first bytes of each device only. */
    static RawMedium of(List<BlockDevice> devices, boolean isRelaxed, long bytesMax) throws IOException {
        List<VolumeSet.Member> members = new ArrayList<>();
        long offset = 0;
        for (int i = 0; i < devices.size(); i++) {
            BlockDevice device = devices.get(i);
            long unit = i + 1 < devices.size() ? Limits.GIB : Limits.VOLUME_ALIGNMENT_BYTES;
            long size = Math.min(bytesMax, device.sizeBytes());
            size -= size % unit;
            if (size == 0) {
                throw new IOException(device.name() + ": too small to be a volume (" + device.sizeBytes() + " bytes)");
            }
            members.add(new VolumeSet.Member(device, offset, size));
            offset += size;
        }
        return new RawMedium(VolumeSet.of(members), isRelaxed);
    }

    public long sizeBytes() {
        return devices.sizeBytes();
    }

    /** Reads as it lies there. */
    void read(long offset, MemorySegment into) throws IOException {
        devices.readFully(offset, into);
    }

    /**
     * An inode or a table, in memory of its own.
     *
     * @param ref validated
     * @return null when it is damaged or cannot be read
     */
    byte[] load(BlockRef ref) {
        byte[] cached = cache.get(ref);
        if (cached != null) {
            return cached;
        }
        MemorySegment stored = stored(ref);
        if (stored == null || (!isRelaxed && !matches(ref, stored))) {
            return null;
        }
        byte[] bytes = stored.toArray(ValueLayout.JAVA_BYTE);
        cache.put(ref, bytes);
        cachedBytes += bytes.length;
        var eldest = cache.entrySet().iterator();
        while (cachedBytes > CACHE_BYTES && eldest.hasNext()) {
            Map.Entry<BlockRef, byte[]> entry = eldest.next();
            cachedBytes -= entry.getValue().length;
            eldest.remove();
        }
        return bytes;
    }

    /** @return the stored bytes, valid until the next call; null when they cannot be read */
    MemorySegment stored(BlockRef ref) {
        MemorySegment bytes = buffer.asSlice(0, ref.storedBytes());
        try {
            devices.readFully(ref.offsetBytes(), bytes);
            return bytes;
        } catch (IOException e) {
            return null;
        }
    }

    /** Whether the check code of {@code ref} is right for {@code stored}, or there is none. */
    static boolean matches(BlockRef ref, MemorySegment stored) {
        try {
            return CheckCode.of(ref.checkMethod()).matches(stored, ref.check());
        } catch (CodecException e) {
            return false;
        }
    }

    /** Whether a reference has a check code by which its block can be told from any other. */
    static boolean verifies(BlockRef ref) {
        int method = ref.checkMethod();
        return CheckCode.isKnown(method) && CheckCode.of(method).verifies();
    }

    /** @return the reference at {@code offset} of {@code block} if it is one of these types and could be one, else null */
    BlockRef plausible(MemorySegment block, long offset, BlockType... types) {
        try {
            BlockRef ref = BlockRef.read(block, offset).validate(sizeBytes());
            for (BlockType type : types) {
                if (ref.type() == type) {
                    return ref;
                }
            }
        } catch (CorruptBlockException e) {
            // None, then.
        }
        return null;
    }

    @Override
    public void close() throws IOException {
        arena.close();
        devices.close();
    }
}
