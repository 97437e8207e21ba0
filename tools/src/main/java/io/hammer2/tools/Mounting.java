package io.hammer2.tools;

import io.hammer2.blockdev.DeviceBusyException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Finds who is to serve a mount: the process that serves the volume already, or this one. Who is found changes under way: the server of the last
 * mount is letting go of the devices, or of two commands that begin at the same moment, as at boot, the other one was first and can be asked in a
 * moment. So both are tried until one will do.
 */
final class Mounting {
    private static final int TRIES = 50;
    private static final long RETRY_MILLIS = 100;

    private Mounting() {}

    /**
     * @param places where a server may be found
     * @param isForeground the mount is to end with this process, and can be waited for
     * @param log takes what an administrator should know, now and later, from any thread
     * @throws ToolException with what is wrong and what to do
     */
    static Mounted begin(MountRequest request, List<Path> places, boolean isForeground, Consumer<String> log) {
        for (int tries = 1; ; tries++) {
            Optional<JoinedMount> joined = JoinedMount.ask(request, places, isForeground, log);
            if (joined.isPresent()) {
                return joined.get();
            }
            try {
                return VolumeServer.start(request, places, log);
            } catch (DeviceBusyException e) {
                if (tries == TRIES) {
                    throw new ToolException(
                            e.getMessage()
                                    + (request.words().writable()
                                            ? "; unmount it there, or mount both with -o ro"
                                            : ""),
                            e);
                }
                pause();
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(RETRY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException("interrupted", e);
        }
    }
}
