package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.InodeContent;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.pfs.FrozenPfs;
import io.hammer2.fs.pfs.OpenPfss;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fs.pfs.SubtreeCopy;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Timer;
import java.util.concurrent.TimeUnit;

/**
 * A snapshot of a directory as a PFS of its own, being made: of the moment at which it was begun, whatever happens to the directory
 * meanwhile. It takes a step for each thousand or so files, and is there, with all that belongs to it, when the last has returned. What
 * is not gone on with for a minute is given up; after that, and after a crash, nothing is left of it but space that bulkfree gives back.
 *
 * <p>Used on LWKT threads of any cpu, by one at a time.
 */
public final class SubtreeSnapshot {
    private static final long IDLE_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** Of the index, reserved before it is known which of its blocks change. */
    private static final long INDEX_BYTES = 2L * Limits.MIB;

    private final PfsControl control;
    private final PfsControl.Writing writing;
    private final Topology topology;
    private final OpenPfss open;
    private final PfsControl.SubtreeRequest request;

    // Of the volume cpu.
    private final SubtreeCopy copy;
    private PfsControl.Timing timing;
    private boolean isEnded;
    private boolean isBusy;
    private Timer idle;

    private SubtreeSnapshot(
            PfsControl control,
            PfsControl.Writing writing,
            Topology topology,
            OpenPfss open,
            SubtreeCopy copy,
            PfsControl.SubtreeRequest request) {
        this.control = control;
        this.writing = writing;
        this.topology = topology;
        this.open = open;
        this.copy = copy;
        this.request = request;
    }

    /** On the volume cpu, of a PFS that is held; it is not any more if this is refused. */
    static SubtreeSnapshot begin(
            PfsControl control,
            PfsControl.Writing writing,
            Topology topology,
            OpenPfss open,
            FrozenPfs frozen,
            PfsControl.SubtreeRequest request) {
        SubtreeSnapshot begun = null;
        try {
            InodeContent directory = frozen.find(topology, request.directory());
            if (directory == null) {
                throw new FsException(Errno.ENOENT, "no directory with number " + request.directory());
            }
            if (directory.type() != FileType.DIRECTORY) {
                throw new FsException(Errno.ENOTDIR, "a snapshot is made of a directory");
            }
            SubtreeCopy copy = new SubtreeCopy(topology, frozen, directory, request.pace());
            begun = new SubtreeSnapshot(control, writing, topology, open, copy, request);
            open.hold(copy);
            begun.awaitNext();
            return begun;
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw control.damaged(request, e);
        } finally {
            open.letGo(frozen);
        }
    }

    /**
     * Goes on.
     *
     * @return whether it is made, and durable
     * @throws FsException after which it is given up: ENOSPC; EIO; EEXIST where somebody else has made a PFS of that name meanwhile; ESTALE
     *     where it was given up
     */
    public boolean step() {
        return cpu().call(() -> {
            if (isEnded) {
                if (timing != null) {
                    return true;
                }
                throw new FsException(Errno.ESTALE, "the snapshot was given up");
            }
            if (isBusy) {
                throw new FsException(Errno.EBUSY, "a step of it is being made");
            }
            idle.cancel();
            isBusy = true;
            boolean goesOn = false;
            try {
                goesOn = !stepHere();
            } catch (CorruptBlockException | DeviceErrorException e) {
                throw control.damaged(request, e);
            } finally {
                isBusy = false;
                if (goesOn && !isEnded) {
                    awaitNext();
                } else {
                    end();
                }
            }
            return timing != null;
        });
    }

    private boolean stepHere() {
        if (copy.isToBeWritten()) {
            SubtreeCopy.Turn turn = copy.read();
            reserve(copy.inodeBytes() + INDEX_BYTES);
            writing.sync().writeBetweenCommits(flush -> {
                copy.insert(turn, flush);
                // What refers to it is not written yet, so nothing may be given back now to make room.
                long more = copy.changedBytes() - INDEX_BYTES;
                if (more > 0 && !writing.room().budget().reserve(more, 0, false)) {
                    throw Room.none();
                }
                copy.write(flush);
            });
        } else if (!copy.isComplete()) {
            copy.collect();
        } else {
            timing = control.change(new PfsChange.Subtree(request.label(), copy, request.ids()));
        }
        return timing != null;
    }

    private void reserve(long bytes) {
        for (int tried = 0; !writing.room().budget().reserve(bytes, 0, false); ) {
            tried = writing.room().make(tried, false);
        }
    }

    /** Whether it is made, or given up. */
    public boolean isEnded() {
        return cpu().call(() -> isEnded);
    }

    /** Names below the directory that were met so far. */
    public long nameCount() {
        return cpu().call(copy::nameCount);
    }

    /** Of the commit that made it; null before. */
    public PfsControl.Timing timing() {
        return cpu().call(() -> timing);
    }

    /** Gives it up, unless it is made. */
    public void close() {
        cpu().call(() -> {
            idle.cancel();
            // A step that is being made lets go of it at its end.
            isEnded = true;
            if (!isBusy) {
                end();
            }
            return null;
        });
    }

    private void awaitNext() {
        idle = topology.io().cpu().after(IDLE_NANOS, this::end);
    }

    private void end() {
        isEnded = true;
        open.letGo(copy);
        control.forget(this);
    }

    private Cpu cpu() {
        return topology.io().cpu();
    }
}
