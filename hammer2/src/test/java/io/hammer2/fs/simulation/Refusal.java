package io.hammer2.fs.simulation;

import io.hammer2.fs.Errno;
import java.util.EnumSet;

/** The model's error: the reasons there are for one, of which a file system names any. */
final class Refusal extends RuntimeException {
    private final EnumSet<Errno> reasons;

    Refusal(EnumSet<Errno> reasons) {
        super(reasons.toString(), null, false, false);
        this.reasons = reasons;
    }

    EnumSet<Errno> reasons() {
        return reasons;
    }
}
