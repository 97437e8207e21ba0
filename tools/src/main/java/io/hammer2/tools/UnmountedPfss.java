package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/** The PFSs of devices or images that nobody has mounted, opened to write. */
final class UnmountedPfss implements VolumePfss {
    private final String special;
    private final Lwkt lwkt;
    private final Hammer2 volume;

    private UnmountedPfss(String special, Lwkt lwkt, Hammer2 volume) {
        this.special = special;
        this.lwkt = lwkt;
        this.volume = volume;
    }

    static UnmountedPfss open(String special, Consumer<String> log) {
        List<BlockDevice> devices;
        try {
            devices = BlockDevices.openAll(special, OpenMode.READ_WRITE);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
        Lwkt lwkt = Lwkt.dedicated(1);
        Hammer2 volume = null;
        try {
            volume = Hammer2.open(lwkt, devices, MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log));
            return new UnmountedPfss(special, lwkt, volume);
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        } finally {
            if (volume == null) {
                devices.forEach(InspectedVolume::closeQuietly);
                lwkt.close();
            }
        }
    }

    @Override
    public List<PfsRow> list() {
        try {
            return volume.pfsList().stream().map(PfsRow::of).toList();
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        }
    }

    @Override
    public long create(Label label, PfsType type, UUID clid) {
        PfsChange.Ids ids = new PfsChange.Ids(clid == null ? UUID.randomUUID() : clid, UUID.randomUUID());
        return change(List.of(new PfsChange.Create(label, type, ids)));
    }

    @Override
    public long delete(List<Label> labels) {
        return change(labels.stream().<PfsChange>map(PfsChange.Delete::new).toList());
    }

    @Override
    public long snapshot(List<Snapshot> snapshots, boolean ofLastCommit) {
        List<PfsChange> changes = new ArrayList<>();
        for (Snapshot snapshot : snapshots) {
            changes.add(new PfsChange.Snapshot(
                    snapshot.source(),
                    snapshot.label(),
                    ofLastCommit,
                    new PfsChange.Ids(UUID.randomUUID(), UUID.randomUUID())));
        }
        return change(changes);
    }

    @Override
    public long rollback(Label label, Label source) {
        return change(List.of(new PfsChange.Rollback(label, source, false)));
    }

    private long change(List<PfsChange> changes) {
        try {
            return lwkt.run(0, () -> volume.pfss().change(changes).coreNanos());
        } catch (FsException e) {
            throw new ToolException(special + ": " + e.what(), e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            volume.close();
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        } finally {
            lwkt.close();
        }
    }
}
