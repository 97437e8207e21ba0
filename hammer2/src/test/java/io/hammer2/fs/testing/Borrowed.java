package io.hammer2.fs.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.ForwardingBlockDevice;

/** Another device, which outlives whoever is lent it: closing does nothing. */
public final class Borrowed extends ForwardingBlockDevice {
    public Borrowed(BlockDevice lender) {
        super(lender);
    }

    @Override
    public void close() {}
}
