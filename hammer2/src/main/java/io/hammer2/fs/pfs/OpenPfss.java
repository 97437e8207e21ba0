package io.hammer2.fs.pfs;

import io.hammer2.fs.media.BlockTable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The PFSs of a volume that are in use, one {@link MountedPfs} for each however many use it. On the volume cpu. */
public final class OpenPfss {
    private final List<MountedPfs> all = new ArrayList<>();

    /** What is in use beside what the super-root leads to. */
    private final List<HeldTables> held = new ArrayList<>();

    /** The one at this key of the super-root, or null. */
    public MountedPfs find(long key) {
        for (MountedPfs pfs : all) {
            if (pfs.key() == key) {
                return pfs;
            }
        }
        return null;
    }

    /** Whether somebody may change it. */
    public boolean isMounted(long key) {
        MountedPfs pfs = find(key);
        return pfs != null && pfs.mounts > 0;
    }

    public List<MountedPfs> all() {
        return all;
    }

    /** Another user of the PFS at this key, which {@code load} reads if it is the first. {@link #release} ends it. */
    public MountedPfs acquire(long key, boolean isMount, Supplier<MountedPfs> load) {
        MountedPfs pfs = find(key);
        if (pfs == null) {
            pfs = load.get();
            all.add(pfs);
        }
        pfs.users++;
        pfs.mounts += isMount ? 1 : 0;
        return pfs;
    }

    /** A user's end. What nobody uses any more must have been flushed. */
    public void release(MountedPfs pfs, boolean isMount) {
        pfs.users--;
        pfs.mounts -= isMount ? 1 : 0;
        if (pfs.users == 0) {
            all.remove(pfs);
        }
    }

    /** Keeps what no super-root leads to from being given back as unused; on the volume cpu while nothing is allocated. */
    public void hold(HeldTables tables) {
        held.add(tables);
    }

    /** The end of {@link #hold}, if that was called. */
    public void letGo(HeldTables tables) {
        held.remove(tables);
    }

    /** Root tables of PFSs that are in use and that the super-root does not lead to. */
    public List<BlockTable> heldTables() {
        return held.stream().flatMap(each -> each.tables().stream()).toList();
    }

    /** What is at this key is not any more what those have who use it: to them it becomes stale. */
    void retire(long key) {
        MountedPfs pfs = find(key);
        if (pfs != null) {
            pfs.retire();
            all.remove(pfs);
        }
    }
}
