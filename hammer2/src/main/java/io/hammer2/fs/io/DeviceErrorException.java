package io.hammer2.fs.io;

import io.hammer2.fs.media.BlockRef;
import java.io.IOException;

/** The device failed to read a block: nothing is known of what the block holds. */
public final class DeviceErrorException extends RuntimeException {
    private final transient BlockRef ref;

    DeviceErrorException(BlockRef ref, IOException cause) {
        super(cause.getMessage(), cause, false, false);
        this.ref = ref;
    }

    /** The block that could not be read. */
    public BlockRef ref() {
        return ref;
    }
}
