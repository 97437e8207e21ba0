package io.hammer2.fs.simulation;

import io.hammer2.fs.Errno;
import io.hammer2.fs.StatFs;
import java.util.List;

/**
 * Which errors there may be that no operation is to blame for. None of them changes anything.
 *
 * @param spaceShort what would take space may be refused
 * @param spaceGone so may what would give space back: even the part that is kept for that is used up
 * @param deviceFails requests to the device may fail
 * @param readOnly a failed commit may have ended all writing
 */
record Circumstances(boolean spaceShort, boolean spaceGone, boolean deviceFails, boolean readOnly) {
    /** Below this there is nothing that can be counted upon: commits take space, and only a bulkfree gives any back. */
    private static final long RESERVE_BYTES = 4L << 20;

    static final Circumstances GOOD = new Circumstances(false, false, false, false);
    static final Circumstances FILLING = new Circumstances(true, false, false, false);

    boolean excuse(Call call) {
        Outcome outcome = call.outcome();
        if (outcome.failedWith(Errno.EIO)) {
            return deviceFails;
        }
        if (deviceFails && outcome.value() instanceof List<?>) {
            // A listing ends before what cannot be read, and only who asks for the rest hears of it.
            return true;
        }
        return switch (call.operation().kind()) {
            case READ, USE -> false;
            case SYNC -> readOnly && outcome.failedWith(Errno.EROFS);
            case MODIFY ->
                (readOnly && outcome.failedWith(Errno.EROFS)) || (spaceGone && outcome.failedWith(Errno.ENOSPC));
            case GROW ->
                (readOnly && outcome.failedWith(Errno.EROFS)) || (spaceShort && outcome.failedWith(Errno.ENOSPC));
        };
    }

    Circumstances with(boolean failingDevice) {
        return new Circumstances(spaceShort, spaceGone, failingDevice, failingDevice);
    }

    /** With as much space as a volume that is to be filled says. */
    Circumstances at(StatFs space) {
        boolean gone = space.blocksFree() * space.blockBytes() < RESERVE_BYTES;
        return new Circumstances(spaceShort, spaceShort && gone, deviceFails, readOnly);
    }
}
