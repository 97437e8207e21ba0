package io.hammer2.fs.newfs;

import io.hammer2.fs.media.Limits;
import java.util.ArrayList;
import java.util.List;

/**
 * Where everything goes: sizes of the volumes and of the areas (format sections 2.1, 2.4, 17).
 *
 * @param version 1 or 2
 * @param volumeBytes size of each volume, in the order of their ids
 * @param bootBytes boot area, which follows the first reserved segment
 * @param auxBytes aux area, which follows the boot area
 */
public record Geometry(int version, List<Long> volumeBytes, long bootBytes, long auxBytes) {
    /** Smallest and largest boot and aux areas that may be asked for. */
    public static final long AREA_BYTES_MIN = 8L * Limits.MIB;

    public static final long BOOT_BYTES_MAX = 256L * Limits.MIB;
    public static final long AUX_BYTES_MAX = Limits.GIB;

    private static final long BOOT_BYTES_NOMINAL = 64L * Limits.MIB;
    private static final long AUX_BYTES_NOMINAL = 256L * Limits.MIB;

    /** A default area takes no more than one part in this many. */
    private static final long AREA_SHARE = 20;

    public Geometry {
        volumeBytes = List.copyOf(volumeBytes);
    }

    /**
     * @param deviceBytes sizes of the devices, in the order of their ids
     * @throws NewfsException when a device is too small, or an area is
     */
    static Geometry of(List<Long> deviceBytes, NewfsOptions options) throws NewfsException {
        int version = options.version();
        require(version == 1 || version == 2, "version " + version + ": versions 1 and 2 can be made");
        require(!deviceBytes.isEmpty(), "no device given");
        require(
                version == 2 || deviceBytes.size() == 1,
                "version 1 has a single volume; use version 2 for " + deviceBytes.size());
        require(
                deviceBytes.size() <= Limits.VOLUMES_MAX,
                deviceBytes.size() + " volumes; a file system has at most " + Limits.VOLUMES_MAX);
        List<Long> volumes = new ArrayList<>();
        long total = 0;
        for (int id = 0; id < deviceBytes.size(); id++) {
            boolean last = id == deviceBytes.size() - 1;
            long size = roundDown(deviceBytes.get(id), last ? Limits.VOLUME_ALIGNMENT_BYTES : Limits.GIB);
            require(
                    size > 0,
                    "volume " + id + " has " + deviceBytes.get(id) + " bytes; needed are at least "
                            + (last ? "8 MiB" : "1 GiB, as of every volume but the last"));
            require(size <= Long.MAX_VALUE - total, "the volumes have more than 2^63 - 1 bytes");
            volumes.add(size);
            total += size;
        }
        long boot = area("boot", options.bootBytes(), BOOT_BYTES_MAX, BOOT_BYTES_NOMINAL, total);
        long aux = area("aux", options.auxBytes(), AUX_BYTES_MAX, AUX_BYTES_NOMINAL, total);
        Geometry geometry = new Geometry(version, volumes, boot, aux);
        require(
                geometry.base() < Limits.GIB,
                "boot and aux areas of " + mib(boot) + " and " + mib(aux)
                        + " do not fit into the first GiB; make one of them smaller");
        // One segment for the inodes written here and one to allocate from, or every write would fail.
        require(
                geometry.base() + 2 * Limits.FREEMAP_SEGMENT_BYTES <= volumes.getFirst(),
                "volume 0 of " + mib(volumes.getFirst()) + " is too small: with boot and aux areas of " + mib(boot)
                        + " and " + mib(aux) + " it needs " + mib(geometry.base() + 2 * Limits.FREEMAP_SEGMENT_BYTES));
        return geometry;
    }

    /** Of the whole file system. */
    public long totalBytes() {
        return volumeBytes.stream().mapToLong(Long::longValue).sum();
    }

    /** Where the inodes that are written here begin. */
    public long base() {
        return Limits.RESERVED_SEGMENT_BYTES + bootBytes + auxBytes;
    }

    /** Bytes that can hold data (format section 16.1). */
    public long allocatorBytes() {
        long gibs = (totalBytes() + Limits.GIB - 1) / Limits.GIB;
        return totalBytes() - Limits.RESERVED_SEGMENT_BYTES * gibs - bootBytes - auxBytes;
    }

    private static long area(String name, long asked, long max, long nominal, long total) throws NewfsException {
        if (asked == 0) {
            long size = nominal;
            while (size > total / AREA_SHARE) {
                size >>= 1;
            }
            return roundUp(Math.max(size, AREA_BYTES_MIN));
        }
        require(
                asked >= AREA_BYTES_MIN && asked <= max,
                "a " + name + " area of " + asked + " bytes; possible are 8 MiB to " + mib(max));
        return roundUp(asked);
    }

    private static long roundUp(long bytes) {
        return roundDown(bytes + Limits.VOLUME_ALIGNMENT_BYTES - 1, Limits.VOLUME_ALIGNMENT_BYTES);
    }

    private static long roundDown(long bytes, long multiple) {
        return bytes - bytes % multiple;
    }

    private static String mib(long bytes) {
        return bytes / Limits.MIB + " MiB";
    }

    private static void require(boolean condition, String otherwise) throws NewfsException {
        if (!condition) {
            throw new NewfsException(otherwise);
        }
    }
}
