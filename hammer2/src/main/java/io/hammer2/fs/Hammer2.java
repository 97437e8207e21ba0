package io.hammer2.fs;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.VolumeSet;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.ReadAhead;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.pfs.Pfs;
import io.hammer2.fs.pfs.SuperRoot;
import io.hammer2.fs.volume.Volume;
import io.hammer2.fs.volume.VolumeException;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * An opened volume, read-only: what its super-root holds can be listed and mounted. Opened, used and closed from ordinary
 * threads; the operations of what is mounted run on the cpus of the runtime.
 */
public final class Hammer2 implements AutoCloseable {
    private static final int STATFS_BLOCK_BYTES = 65536;
    private static final String LOCAL = "LOCAL";

    /** Labels that are mounted when none is asked for, in this order (format section 9.3). */
    private static final List<String> DEFAULT_LABELS = List.of("DATA", "ROOT", "BOOT");

    private final Lwkt lwkt;
    private final Volume volume;
    private final FaultLog faults;
    private final Topology[] topologies;
    private final ReadAhead[] readAheads;
    private boolean closed;

    private Hammer2(Lwkt lwkt, Volume volume, MountOptions options) {
        this.lwkt = lwkt;
        this.volume = volume;
        this.faults = new FaultLog(lwkt.clock(), options.log());
        this.topologies = new Topology[lwkt.cpuCount()];
        this.readAheads = new ReadAhead[lwkt.cpuCount()];
        for (int id = 0; id < topologies.length; id++) {
            topologies[id] = new Topology(
                    new BlockIo(lwkt.cpu(id), volume.devices(), volume.sizeBytes(), options.cacheBytesPerCpu()));
            readAheads[id] = new ReadAhead(topologies[id], options.cacheBytesPerCpu());
        }
    }

    /**
     * Opens the file system that {@code devices} are the volumes of, in any order; on success they are closed with it, and
     * else belong to the caller still.
     *
     * @throws Hammer2Exception when they are none: with the reason for each header copy, or the rule that is broken
     */
    public static Hammer2 open(Lwkt lwkt, List<BlockDevice> devices, MountOptions options) throws Hammer2Exception {
        Volume volume;
        try {
            volume = Volume.open(devices);
        } catch (VolumeException e) {
            throw new Hammer2Exception(e.getMessage(), e);
        }
        volume.warnings().forEach(options.log());
        return new Hammer2(lwkt, volume, options);
    }

    /** What was opened. */
    public VolumeInfo info() {
        VolumeHeader header = volume.header();
        List<VolumeInfo.Member> members = new ArrayList<>();
        for (VolumeSet.Member member : volume.devices().members()) {
            members.add(new VolumeInfo.Member(
                    members.size(), member.device().name(), member.logicalOffsetBytes(), member.sizeBytes()));
        }
        return new VolumeInfo(
                header.version(),
                header.fsid(),
                volume.headerCopy(),
                header.mirrorTid(),
                header.freemapTid(),
                volume.sizeBytes(),
                header.allocatorSize(),
                header.allocatorFree(),
                members);
    }

    /**
     * The PFSs, in the order of the super-root; those that are damaged are left out and logged.
     *
     * @throws Hammer2Exception when the super-root itself cannot be read
     */
    public List<PfsInfo> pfsList() throws Hammer2Exception {
        return onCpu(() -> list(superRoot()).stream().map(Hammer2::infoOf).toList());
    }

    /**
     * Mounts a PFS.
     *
     * @param label its name, or null for the one that the volume is for: DATA, ROOT or BOOT, or the only one besides LOCAL
     * @throws Hammer2Exception when there is none of that name: the message lists the names that there are
     */
    public FileSystem mount(String label) throws Hammer2Exception {
        return onCpu(() -> {
            SuperRoot superRoot = superRoot();
            Pfs pfs = label == null ? defaultPfs(superRoot) : superRoot.find(label.getBytes(StandardCharsets.UTF_8));
            if (pfs == null) {
                throw new Hammer2Exception(unknownLabel(label, list(superRoot)));
            }
            return new FileSystem(this, pfs);
        });
    }

    /** Ends all I/O and closes the devices. No operation of what is mounted may be running. */
    @Override
    public void close() throws Hammer2Exception {
        if (closed) {
            return;
        }
        closed = true;
        try {
            for (Topology topology : topologies) {
                lwkt.run(topology.io().cpu().id(), () -> {
                    topology.io().close();
                    return null;
                });
            }
            volume.close();
        } catch (Exception e) {
            throw new Hammer2Exception("cannot close " + volume.devices().name() + ": " + e.getMessage(), e);
        }
    }

    /** Cache and device figures of a cpu; on that cpu. */
    public BlockIo.Stats ioStats() {
        return topology().io().stats();
    }

    /** Walks of the current cpu. */
    Topology topology() {
        return topologies[Cpu.current().id()];
    }

    ReadAhead readAhead() {
        return readAheads[Cpu.current().id()];
    }

    FaultLog faults() {
        return faults;
    }

    StatFs statfs(Pfs pfs) {
        VolumeHeader header = volume.header();
        long free = header.allocatorFree() / STATFS_BLOCK_BYTES;
        long reserve = header.allocatorSize() / STATFS_BLOCK_BYTES / 20;
        return new StatFs(
                STATFS_BLOCK_BYTES,
                header.allocatorSize() / STATFS_BLOCK_BYTES,
                free,
                Math.max(0, free - reserve),
                pfs.root().ref().inodeCount(),
                Limits.NAME_BYTES_MAX,
                pfs.root().block().pfsFsid().getLeastSignificantBits()
                        ^ pfs.root().block().pfsFsid().getMostSignificantBits());
    }

    static PfsInfo infoOf(Pfs pfs) {
        InodeBlock root = pfs.root().block();
        return new PfsInfo(
                pfs.labelText(),
                MemorySegment.ofArray(pfs.label()).asReadOnly(),
                pfs.root().ref().key(),
                root.pfsType(),
                root.pfsSubtype(),
                root.pfsClid(),
                root.pfsFsid(),
                root.pfsLsnapTid(),
                pfs.root().ref().inodeCount(),
                pfs.root().ref().dataCount());
    }

    private SuperRoot superRoot() {
        return SuperRoot.load(topology(), volume.superRoot());
    }

    private List<Pfs> list(SuperRoot superRoot) {
        return superRoot.list(damage -> faults.report(() -> "super-root: " + damage.getMessage()));
    }

    private Pfs defaultPfs(SuperRoot superRoot) {
        List<Pfs> all = list(superRoot);
        for (String label : DEFAULT_LABELS) {
            for (Pfs pfs : all) {
                if (pfs.labelText().equals(label)) {
                    return pfs;
                }
            }
        }
        List<Pfs> others =
                all.stream().filter(pfs -> !pfs.labelText().equals(LOCAL)).toList();
        return others.size() == 1 ? others.getFirst() : null;
    }

    private String unknownLabel(String label, List<Pfs> all) {
        String labels = all.isEmpty()
                ? "it has none"
                : "it has "
                        + String.join(
                                ", ",
                                all.stream()
                                        .map(pfs -> PathFinder.text(pfs.label()))
                                        .toList());
        return volume.devices().name()
                + (label == null ? ": which PFS? Name one as @LABEL; " : ": no PFS named " + label + "; ")
                + labels;
    }

    private <T> T onCpu(Callable<T> body) throws Hammer2Exception {
        try {
            return lwkt.run(0, body);
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw new Hammer2Exception(volume.devices().name() + ": " + e.getMessage(), e);
        } catch (Hammer2Exception | RuntimeException e) {
            throw e;
        } catch (IOException e) {
            throw new Hammer2Exception(e.getMessage(), e);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
