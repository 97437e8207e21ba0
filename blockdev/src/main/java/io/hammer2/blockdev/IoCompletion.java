package io.hammer2.blockdev;

import java.io.IOException;

/**
 * Told exactly once that a request ended.
 *
 * <p>May be called by any thread, also by the caller's own before the request method has returned. Must neither block nor
 * throw: the thread that calls it has other requests to serve. Who starts a next request from here without end may run out
 * of stack, because that request, too, may complete within the call.
 */
@FunctionalInterface
public interface IoCompletion {

    /**
     * The request ended; the device has no further use for its segment.
     *
     * @param errorOrNull null when all of it was done; otherwise why not, and then an unknown part of it may have been
     */
    void done(IOException errorOrNull);
}
