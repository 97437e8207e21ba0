package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.DeviceBusyException;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.lwkt.Lwkt;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A volume that is open to be served, and the cpus that it runs on.
 *
 * @param special its devices, as they were named
 */
record ServedVolume(String special, Lwkt lwkt, Hammer2 volume) {
    /**
     * Commits when it is quiet: fusermount3 tells the server of an unmounting only afterwards, and what was done a moment
     * before is on the media then.
     */
    private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long QUIET_COMMITS_DISTANCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /**
     * Opens the devices and what is on them.
     *
     * @throws DeviceBusyException when somebody else has the devices, perhaps for a moment only
     * @throws ToolException with what else is wrong and what to do
     */
    static ServedVolume open(MountRequest request, Consumer<String> log) throws DeviceBusyException {
        MountWords words = request.words();
        List<BlockDevice> devices = MountDevices.open(request.special(), words.writable());
        Lwkt lwkt = null;
        Hammer2 volume = null;
        try {
            lwkt = Lwkt.dedicated(words.cpus());
            volume = Hammer2.open(lwkt, devices, words.volume(log));
            volume.commitWhenQuiet(QUIET_NANOS, QUIET_COMMITS_DISTANCE_NANOS);
            return new ServedVolume(request.special(), lwkt, volume);
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        } finally {
            if (volume == null) {
                devices.forEach(InspectedVolume::closeQuietly);
                if (lwkt != null) {
                    lwkt.close();
                }
            }
        }
    }

    /** Lets go of it where nothing has been changed in it. */
    void abandon() {
        try {
            volume.close();
        } catch (Hammer2Exception e) {
            // What led here says more.
        }
        lwkt.close();
    }

    /**
     * Changes PFSs in one commit.
     *
     * @return the time in core, in ns
     * @throws ToolException with what is wrong
     */
    long change(List<PfsChange> changes) {
        try {
            return lwkt.run(0, () -> volume.pfss().change(changes).coreNanos());
        } catch (FsException e) {
            throw new ToolException(e.what(), e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
