package io.hammer2.fs;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.VolumeSet;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.freemap.Freemap;
import io.hammer2.fs.freemap.OutOfMemoryBudgetException;
import io.hammer2.fs.freemap.SpaceCensus;
import io.hammer2.fs.freemap.SpaceReport;
import io.hammer2.fs.inode.ReadAhead;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.BlockWrites;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.io.RecentBlocks;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.MountedPfs;
import io.hammer2.fs.pfs.OpenPfss;
import io.hammer2.fs.pfs.Pfs;
import io.hammer2.fs.pfs.SuperRoot;
import io.hammer2.fs.pipeline.Duplicates;
import io.hammer2.fs.pipeline.RecentDuplicates;
import io.hammer2.fs.volume.Growth;
import io.hammer2.fs.volume.Headers;
import io.hammer2.fs.volume.Reclaim;
import io.hammer2.fs.volume.Recovery;
import io.hammer2.fs.volume.SpaceBudget;
import io.hammer2.fs.volume.SpaceCount;
import io.hammer2.fs.volume.Sync;
import io.hammer2.fs.volume.Volume;
import io.hammer2.fs.volume.VolumeException;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.IntConsumer;

/**
 * An opened volume: what its super-root holds can be listed and mounted. Opened, used and closed from ordinary threads; the
 * operations of what is mounted run on the cpus of the runtime.
 */
public final class Hammer2 implements AutoCloseable {
    private static final int STATFS_BLOCK_BYTES = 65536;
    private static final Label LOCAL = Label.of("LOCAL");

    /** Inodes kept that nobody uses at the moment. */
    private static final int INODES_KEPT = 1 << 14;

    private static final int INODES_KEPT_OF_LOOKED_AT = 1 << 10;

    /** For walks of all metadata, which meet nearly everything once. */
    private static final long WALK_CACHE_BYTES = 1L << 20;

    /** Labels that are mounted when none is asked for, in this order (format section 9.3). */
    private static final List<String> DEFAULT_LABELS = List.of("DATA", "ROOT", "BOOT");

    private final Lwkt lwkt;
    private final Volume volume;
    private final FaultLog faults;
    private final Topology[] topologies;
    private final ReadAhead[] readAheads;
    private final BufferPool buffers = new BufferPool();
    private final PendingWrites pending;

    /** Null where content that comes again is stored again. */
    private final RecentBlocks recent;

    /** Read on the volume cpu when it is opened. */
    private SuperRoot superRoot;

    private PfsControl pfss;

    private final MountOptions.Atime atime;
    private final OpenPfss open = new OpenPfss();

    /** Null of what is opened to read only. */
    private Writer writer;

    private boolean closed;

    private Hammer2(Lwkt lwkt, Volume volume, MountOptions options) {
        this.lwkt = lwkt;
        this.volume = volume;
        this.atime = options.atime();
        this.faults = new FaultLog(lwkt.clock(), options.log());
        this.topologies = new Topology[lwkt.cpuCount()];
        this.readAheads = new ReadAhead[lwkt.cpuCount()];
        this.recent = options.dedup() && !options.readOnly() ? new RecentBlocks() : null;
        PendingWrites pending = new PendingWrites();
        for (int id = 0; id < topologies.length; id++) {
            topologies[id] = new Topology(new BlockIo(
                    lwkt.cpu(id), volume.devices(), volume.sizeBytes(), pending, recent, options.cacheBytesPerCpu()));
            readAheads[id] = new ReadAhead(topologies[id], options.cacheBytesPerCpu());
        }
        this.pending = pending;
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
        Hammer2 opened = new Hammer2(lwkt, volume, options);
        boolean prepared = false;
        try {
            opened.onCpu(() -> {
                opened.prepare(options);
                return null;
            });
            prepared = true;
        } finally {
            if (!prepared) {
                opened.endCaches();
            }
        }
        return opened;
    }

    /** What writing needs, on the volume cpu. */
    private record Writer(
            Headers headers,
            SpaceBudget budget,
            Sync sync,
            Reclaim reclaim,
            SpaceCount spaceCount,
            Growth growth,
            Room room) {}

    private void prepare(MountOptions options) throws Hammer2Exception {
        superRoot = SuperRoot.load(topology(), volume.superRoot());
        if (!options.readOnly()) {
            prepareToWrite(options);
        }
        pfss = new PfsControl(
                topology(),
                superRoot,
                open,
                faults,
                writer == null ? null : new PfsControl.Writing(writer.sync, writer.room));
    }

    private void prepareToWrite(MountOptions options) throws Hammer2Exception {
        if (volume.devices().readOnly()) {
            throw new Hammer2Exception(volume.devices().name() + ": cannot be written; mount it read-only");
        }
        VolumeHeader header = volume.header();
        Headers headers = new Headers(volume.devices(), volume.headerChoice());
        Freemap freemap = Freemap.of(topology(), header, options.log());
        try {
            Recovery.run(topology().io(), header, freemap, options.log());
        } catch (VolumeException e) {
            throw new Hammer2Exception(volume.devices().name() + ": " + e.getMessage(), e);
        }
        SpaceBudget budget = new SpaceBudget(header.allocatorSize(), freemap.availableBytes());
        Duplicates duplicates = recent == null
                ? Duplicates.NONE
                : new RecentDuplicates(recent, topology().io(), freemap);
        Sync sync = new Sync(
                topology(),
                superRoot,
                open,
                freemap,
                duplicates,
                new BlockWrites(Cpu.current(), volume.devices(), buffers, pending),
                buffers,
                headers,
                budget,
                options.dirtyBytesMax(),
                options.syncIntervalNanos(),
                options.log());
        if (Recovery.isNeeded(header) || volume.headerChoice().isSpare()) {
            // Another implementation could make nothing of the volume as it is.
            sync.requireHeader();
        }
        Reclaim reclaim = new Reclaim(
                Cpu.current(),
                sync,
                headers,
                freemap,
                budget,
                this::openForWalk,
                this::placeOf,
                lwkt.clock(),
                options.log());
        SpaceCount spaceCount = new SpaceCount(Cpu.current(), sync, freemap, budget);
        Growth growth = new Growth(Cpu.current(), sync, headers, freemap, budget, volume.devices(), this::enlarge);
        Room room = new Room(budget, spaceCount, sync, reclaim);
        writer = new Writer(headers, budget, sync, reclaim, spaceCount, growth, room);
        spaceCount.start();
    }

    /** On the volume cpu, with a cache of its own. */
    private BlockIo openForWalk() {
        return new BlockIo(Cpu.current(), volume.devices(), topology().io().totalBytes(), pending, WALK_CACHE_BYTES);
    }

    /** For people: the PFS, and the path of an inode in it, as far as that can be read. On the volume cpu, with no gate held. */
    private String placeOf(BlockRef pfsRoot, long inum) {
        if (pfsRoot == null) {
            return "super-root";
        }
        for (Pfs pfs : superRoot.list(damage -> {})) {
            if (pfs.root().ref().key() == pfsRoot.key()) {
                String place = "PFS " + PathFinder.text(pfs.label().bytes());
                return inum == 0 ? place : place + ", " + pathOf(pfs, inum);
            }
        }
        return "PFS with key " + Key.text(pfsRoot.key());
    }

    private String pathOf(Pfs pfs, long inum) {
        try {
            MountedPfs seen = new MountedPfs(topology(), pfs, 1, buffers);
            return new PathFinder(seen.inodes(), seen.index()).pathOf(topology(), inum);
        } catch (CorruptBlockException | DeviceErrorException e) {
            return "inode " + inum;
        }
    }

    /** What every cpu checks references against; before there are any to what is new. */
    private void enlarge(long bytes) {
        for (Topology topology : topologies) {
            topology.io().cpu().call(() -> {
                topology.io().grow(bytes);
                return null;
            });
        }
    }

    /** What was opened. */
    public VolumeInfo info() {
        VolumeHeader header = header();
        List<VolumeInfo.Member> members = new ArrayList<>();
        for (VolumeSet.Member member : volume.devices().members()) {
            members.add(new VolumeInfo.Member(
                    members.size(), member.device().name(), member.logicalOffsetBytes(), member.sizeBytes()));
        }
        return new VolumeInfo(
                header.version(),
                header.fsid(),
                writer == null ? volume.headerCopy() : writer.headers().copy(),
                header.mirrorTid(),
                header.freemapTid(),
                header.fileSystemBytes(),
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
        return onCpu(() -> pfss.list());
    }

    /** The PFSs, and what can be done to them, from LWKT threads. */
    public PfsControl pfss() {
        return pfss;
    }

    /**
     * Mounts a PFS. Several of a volume may be mounted; {@link FileSystem#unmount} ends one.
     *
     * @param label its name, or null for the one that the volume is for: DATA, ROOT or BOOT, or the only one besides LOCAL
     * @throws Hammer2Exception when there is none of that name: the message lists the names that there are
     */
    public FileSystem mount(String label) throws Hammer2Exception {
        return onCpu(() -> mountHere(label == null ? null : Label.of(label)));
    }

    private FileSystem mountHere(Label label) throws Hammer2Exception {
        // No commit may exchange or delete it between looking and holding it.
        lockOut(true);
        try {
            Pfs pfs = label == null ? defaultPfs() : superRoot.find(label);
            if (pfs == null) {
                throw new Hammer2Exception(unknownLabel(label));
            }
            long key = pfs.root().ref().key();
            if (open.isMounted(key)) {
                throw new Hammer2Exception(
                        "the PFS " + PathFinder.text(pfs.label().bytes()) + " is mounted already");
            }
            MountedPfs mounted = open.acquire(key, true, () -> new MountedPfs(topology(), pfs, INODES_KEPT, buffers));
            return new FileSystem(this, mounted, lwkt.clock(), atime);
        } finally {
            lockOut(false);
        }
    }

    /**
     * Looks at a PFS without mounting it: to read only, beside whoever has it mounted. On an LWKT thread of any cpu; {@link
     * FileSystem#lookNoMore} ends it. When the PFS is deleted or rolled back meanwhile, each operation is ESTALE.
     *
     * @param fsid that it must have: a name may be given to another
     * @return null when there is none of that name and id
     * @throws FsException EIO
     */
    public FileSystem look(Label label, UUID fsid) {
        return lwkt.cpu(0).call(() -> {
            lockOut(true);
            try {
                Pfs pfs = superRoot.find(label);
                if (pfs == null || !fsid.equals(pfs.root().block().pfsFsid())) {
                    return null;
                }
                MountedPfs looked = open.acquire(
                        pfs.root().ref().key(),
                        false,
                        () -> new MountedPfs(topology(), pfs, INODES_KEPT_OF_LOOKED_AT, buffers));
                return FileSystem.toLookAt(this, looked, lwkt.clock());
            } catch (CorruptBlockException | DeviceErrorException e) {
                throw new FsException(Errno.EIO, String.valueOf(e.getMessage()));
            } finally {
                lockOut(false);
            }
        });
    }

    /** {@link FileSystem#lookNoMore}. */
    void lookNoMore(MountedPfs looked) {
        lwkt.cpu(0).call(() -> {
            open.release(looked, false);
            return null;
        });
    }

    /** Keeps commits from changing which PFSs there are. */
    private void lockOut(boolean begins) {
        if (writer != null && begins) {
            writer.sync.pfss().lockShared();
        } else if (writer != null) {
            writer.sync.pfss().unlockShared();
        }
    }

    /** Lets what is written from now on make use of an extension, one of {@link VolumeHeader}'s. On an LWKT thread of any cpu. */
    void allow(int extension) {
        lwkt.cpu(0).call(() -> {
            writer.headers().allow(extension);
            return null;
        });
    }

    /** Extensions that what is written now may make use of, a mask. On an LWKT thread of any cpu. */
    int extensions() {
        return lwkt.cpu(0).call(() -> writer.headers().extensions());
    }

    /** {@link FileSystem#unmount}. */
    void unmount(MountedPfs mounted) throws Hammer2Exception {
        onCpu(() -> {
            if (writer == null) {
                open.release(mounted, true);
            } else {
                writer.sync.release(mounted, true);
                if (writer.sync.failure() != null) {
                    throw writer.sync.failure();
                }
            }
            return null;
        });
    }

    /**
     * Makes durable all that was done before.
     *
     * @throws Hammer2Exception when it cannot be: what was committed before is safe
     */
    public void sync() throws Hammer2Exception {
        if (writer != null) {
            onCpu(() -> {
                writer.sync().commit();
                return null;
            });
        }
    }

    /**
     * From now on also commits when for a moment nothing has changed that takes space, so that little is left for {@link #close}.
     *
     * @param distanceNanos from one such commit to the next, at least: each takes space until the next bulkfree
     */
    public void commitWhenQuiet(long quietNanos, long distanceNanos) throws Hammer2Exception {
        if (writer != null) {
            onCpu(() -> {
                writer.sync().commitWhenQuiet(quietNanos, distanceNanos);
                return null;
            });
        }
    }

    /**
     * Gives back the space that nothing refers to any more (format section 14), while the volume is in use.
     *
     * @param memoryBytes that it may take; {@link BulkFreeResult#MEMORY_BYTES_DEFAULT} is enough for most
     * @throws Hammer2Exception when it was opened to read only, when a commit or a device fails, or the memory is too little
     */
    public BulkFreeResult bulkfree(long memoryBytes) throws Hammer2Exception {
        if (writer == null) {
            throw new Hammer2Exception(volume.devices().name() + ": opened to read only");
        }
        return onCpu(() -> writer.reclaim().run(memoryBytes));
    }

    /** How far the bulkfree is that goes on, in percent; 100 when none does. From an ordinary thread. */
    public int bulkfreePercent() throws Hammer2Exception {
        return writer == null ? 100 : onCpu(() -> writer.reclaim().percent());
    }

    /**
     * Whose the space is, in the last commit.
     *
     * @param memoryBytes that it may take
     * @param progress hears now and then how much is done, in percent
     * @throws Hammer2Exception when the space map cannot be read, or the memory is too little
     */
    public SpaceReport spaceReport(long memoryBytes, IntConsumer progress) throws Hammer2Exception {
        return onCpu(() -> {
            try (BlockIo io = openForWalk()) {
                return new SpaceCensus(io, header(), memoryBytes, progress).run();
            } catch (OutOfMemoryBudgetException e) {
                throw new Hammer2Exception(volume.devices().name() + ": " + e.getMessage(), e);
            }
        });
    }

    /**
     * Lets the file system use more of a device that has become larger, while it is in use.
     *
     * @param sizeBytes to have then; 0 for all of the device
     * @throws Hammer2Exception when it cannot: it was opened to read only, has several volumes, would have to shrink, or a device fails
     */
    public Growth.Result grow(long sizeBytes) throws Hammer2Exception {
        if (writer == null) {
            throw new Hammer2Exception(volume.devices().name() + ": opened to read only");
        }
        return onCpu(() -> writer.growth().run(sizeBytes));
    }

    /**
     * Commits what changed, ends all I/O and closes the devices. No operation of what is mounted may be running.
     *
     * @throws Hammer2Exception when the last commit failed; it is closed nevertheless
     */
    @Override
    public void close() throws Hammer2Exception {
        if (closed) {
            return;
        }
        closed = true;
        try {
            stopReclaim();
            sync();
        } finally {
            end();
        }
    }

    /** Closes it without a commit, as a crash would: what changed since the last one is lost. */
    public void abandon() throws Hammer2Exception {
        if (!closed) {
            closed = true;
            stopReclaim();
            end();
        }
    }

    private void stopReclaim() throws Hammer2Exception {
        if (writer != null) {
            onCpu(() -> {
                pfss.stop();
                writer.spaceCount().stop();
                writer.reclaim().stop();
                return null;
            });
        }
    }

    private void end() throws Hammer2Exception {
        try {
            if (writer != null) {
                lwkt.run(0, () -> {
                    writer.sync().stop();
                    return null;
                });
            }
            endCaches();
            volume.close();
        } catch (Hammer2Exception e) {
            throw e;
        } catch (Exception e) {
            throw cannotClose(e);
        }
    }

    /** Waits for the reads that are under way, and frees all memory; the devices stay open. */
    private void endCaches() throws Hammer2Exception {
        try {
            for (Topology topology : topologies) {
                lwkt.run(topology.io().cpu().id(), () -> {
                    topology.io().close();
                    return null;
                });
            }
            buffers.close();
        } catch (Exception e) {
            throw cannotClose(e);
        }
    }

    private Hammer2Exception cannotClose(Exception e) {
        return new Hammer2Exception("cannot close " + volume.devices().name() + ": " + e.getMessage(), e);
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

    /** Null of what is opened to read only. */
    Sync syncOrNull() {
        return writer == null ? null : writer.sync();
    }

    /** Only of what is opened to write. */
    Reclaim reclaim() {
        return writer.reclaim();
    }

    /** Only of what is opened to write. */
    SpaceBudget budget() {
        return writer.budget();
    }

    /** Only of what is opened to write. */
    Room room() {
        return writer.room();
    }

    /** Only of what is opened to write. */
    Growth growth() {
        return writer.growth();
    }

    FaultLog faults() {
        return faults;
    }

    StatFs statfs(MountedPfs mounted) {
        VolumeHeader header = header();
        Pfs pfs = mounted.pfs();
        long free = header.allocatorFree();
        // As DragonFly shows it, which keeps a twentieth back.
        long available = Math.max(0, free - header.allocatorSize() / 20);
        if (writer != null) {
            free = writer.budget().freeBytes();
            available = writer.budget().availableBytes();
        }
        return new StatFs(
                STATFS_BLOCK_BYTES,
                header.allocatorSize() / STATFS_BLOCK_BYTES,
                free / STATFS_BLOCK_BYTES,
                available / STATFS_BLOCK_BYTES,
                mounted.inodeCount(),
                Limits.NAME_BYTES_MAX,
                pfs.root().block().pfsFsid().getLeastSignificantBits()
                        ^ pfs.root().block().pfsFsid().getMostSignificantBits());
    }

    static PfsInfo infoOf(Pfs pfs) {
        InodeBlock root = pfs.root().block();
        return new PfsInfo(
                pfs.label().toString(),
                MemorySegment.ofArray(pfs.label().bytes()).asReadOnly(),
                pfs.root().ref().key(),
                root.pfsType(),
                root.pfsSubtype(),
                root.pfsClid(),
                root.pfsFsid(),
                root.pfsLsnapTid(),
                pfs.root().ref().inodeCount(),
                pfs.root().ref().dataCount());
    }

    /** The last committed one, an immutable copy, whichever cpu asks. */
    private VolumeHeader header() {
        return writer == null ? volume.header() : writer.headers().committed();
    }

    private void reportSuperRoot(CorruptBlockException damage) {
        faults.report(() -> "super-root: " + damage.getMessage());
    }

    private Pfs defaultPfs() {
        List<Pfs> all = superRoot.list(this::reportSuperRoot);
        for (String label : DEFAULT_LABELS) {
            for (Pfs pfs : all) {
                if (pfs.label().equals(Label.of(label))) {
                    return pfs;
                }
            }
        }
        List<Pfs> others =
                all.stream().filter(pfs -> !pfs.label().equals(LOCAL)).toList();
        return others.size() == 1 ? others.getFirst() : null;
    }

    private String unknownLabel(Label label) {
        List<Pfs> all = superRoot.list(this::reportSuperRoot);
        String labels = all.isEmpty()
                ? "it has none"
                : "it has "
                        + String.join(
                                ", ",
                                all.stream()
                                        .map(pfs -> PathFinder.text(pfs.label().bytes()))
                                        .toList());
        return volume.devices().name()
                + (label == null
                        ? ": which PFS? Name one as @LABEL; "
                        : ": no PFS named " + PathFinder.text(label.bytes()) + "; ")
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
