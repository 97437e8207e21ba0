package io.hammer2.fs.volume;

/** Devices that make no HAMMER2 file system. The message is for people, and may have several lines. */
public final class VolumeException extends Exception {
    VolumeException(String message) {
        super(message);
    }

    VolumeException(String message, Throwable cause) {
        super(message, cause);
    }
}
