package io.hammer2.fs.simulation;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.SliceBlockDevice;
import java.util.ArrayList;
import java.util.List;

/**
 * The volumes of a file system. All lie on one disk, one after the other, so that a crash reorders what is written to any of them.
 *
 * @param volumeBytes size of each
 * @param auxBytes aux area of the root volume; 0 for what suits
 */
record Layout(List<Long> volumeBytes, long auxBytes) {
    private static final long MIB = 1 << 20;

    /** Leaves two segments to allocate from in a root volume of 1 GiB: most of what is written goes to the other volumes. */
    private static final long AUX_BYTES_MOST = 1000 * MIB;

    static Layout single(long bytes) {
        return new Layout(List.of(bytes), 0);
    }

    /** A root volume that is all but full from the beginning, and others. */
    static Layout several(long... otherBytes) {
        List<Long> sizes = new ArrayList<>(List.of(1024 * MIB));
        for (long bytes : otherBytes) {
            sizes.add(bytes);
        }
        return new Layout(sizes, AUX_BYTES_MOST);
    }

    /** 0 for what suits. */
    long bootBytes() {
        return auxBytes == 0 ? 0 : 8 * MIB;
    }

    long totalBytes() {
        return volumeBytes.stream().mapToLong(Long::longValue).sum();
    }

    /** The volumes on a disk. */
    List<BlockDevice> on(BlockDevice disk) {
        if (volumeBytes.size() == 1) {
            return List.of(disk);
        }
        List<BlockDevice> volumes = new ArrayList<>();
        long from = 0;
        for (long bytes : volumeBytes) {
            volumes.add(new SliceBlockDevice(disk, from, bytes));
            from += bytes;
        }
        return volumes;
    }

    @Override
    public String toString() {
        return String.join(
                "+", volumeBytes.stream().map(bytes -> bytes / MIB + " MiB").toList());
    }
}
