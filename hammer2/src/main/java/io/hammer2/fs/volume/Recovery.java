package io.hammer2.fs.volume;

import io.hammer2.fs.freemap.BlockWalk;
import io.hammer2.fs.freemap.Freemap;
import io.hammer2.fs.freemap.OutOfMemoryBudgetException;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.util.function.Consumer;

/**
 * Completes the freemap of a volume that another implementation left with a freemap older than its files, before anything is
 * allocated (format section 13.4): every block written since is marked. Takes time for what changed since, whatever the size of
 * the volume.
 */
public final class Recovery {
    /** For the indirect blocks that changed since the freemap was written; four million. */
    private static final long MEMORY_BYTES_MAX = 64L * Limits.MIB;

    private static final String IMPOSSIBLE = "the space map is older than the files, and cannot be completed: ";

    private Recovery() {}

    /** Whether the freemap of a header lacks what was written after it. */
    public static boolean isNeeded(VolumeHeader header) {
        return Long.compareUnsigned(header.freemapTid(), header.mirrorTid()) < 0;
    }

    /**
     * Marks what the freemap of {@code header} lacks, if anything; the next commit then makes it good. On the volume cpu, before
     * anything is allocated. The thread may block.
     *
     * @param freemap of that header
     * @param log gets a line about what was found, and one for each table that is damaged: nothing leads to what is below it
     * @throws VolumeException when it cannot be told what is in use, so nothing may be allocated
     */
    public static void run(BlockIo io, VolumeHeader header, Freemap freemap, Consumer<String> log)
            throws VolumeException {
        if (!isNeeded(header)) {
            return;
        }
        Marker marker = new Marker(freemap, header.freemapTid(), log);
        try {
            BlockTable root = header.superRootBlockSet().copyValidated(header.fileSystemBytes());
            new BlockWalk(io, marker, MEMORY_BYTES_MAX).below(root, 0);
        } catch (CorruptBlockException | DeviceErrorException | OutOfMemoryBudgetException e) {
            throw new VolumeException(IMPOSSIBLE + e.getMessage(), e);
        }
        if (marker.missingCount == 0) {
            return;
        }
        log.accept("the space map of transaction " + Long.toUnsignedString(header.freemapTid())
                + " was older than the files of " + Long.toUnsignedString(header.mirrorTid()) + ": "
                + marker.blockCount + " newer blocks, " + marker.missingCount + " of them were not in it");
    }

    private static final class Marker implements BlockWalk.Visitor {
        private final Freemap freemap;
        private final long freemapTid;
        private final Consumer<String> log;
        private long blockCount;
        private long missingCount;

        private Marker(Freemap freemap, long freemapTid, Consumer<String> log) {
            this.freemap = freemap;
            this.freemapTid = freemapTid;
            this.log = log;
        }

        @Override
        public boolean visit(BlockTable table, int slot) {
            if (Long.compareUnsigned(table.mirrorTid(slot), freemapTid) <= 0) {
                return false;
            }
            if (table.radix(slot) != 0) {
                blockCount++;
                missingCount += freemap.markAllocated(table.offsetBytes(slot), table.radix(slot)) ? 1 : 0;
            }
            return true;
        }

        @Override
        public void unreadable(CorruptBlockException damage) {
            log.accept("damaged, and not looked below: " + damage.getMessage());
        }

        /** What is below may come back with the next reading, and must not have been overwritten then. */
        @Override
        public void unreadable(DeviceErrorException failure) {
            throw failure;
        }
    }
}
