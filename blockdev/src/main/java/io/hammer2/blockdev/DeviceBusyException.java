package io.hammer2.blockdev;

import java.io.IOException;

/** A device or image was not opened because someone else has it open in a way that excludes us. */
public final class DeviceBusyException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String device;
    private final String holder;

    /** @param holder what is known of who has it, as the end of a sentence: "process 12 (java)" */
    public DeviceBusyException(String device, String holder) {
        super(device + ": in use by " + holder);
        this.device = device;
        this.holder = holder;
    }

    /** Name of the device that was asked for. */
    public String device() {
        return device;
    }

    /** Who may hold it; for people, not for programs. */
    public String holder() {
        return holder;
    }
}
