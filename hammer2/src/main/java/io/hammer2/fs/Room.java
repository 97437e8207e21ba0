package io.hammer2.fs;

import io.hammer2.fs.volume.Reclaim;
import io.hammer2.fs.volume.SpaceBudget;
import io.hammer2.fs.volume.SpaceCount;
import io.hammer2.fs.volume.Sync;
import java.io.IOException;

/** What can be done when there is no space for a change. Used on LWKT threads of any cpu, with no gate held. */
record Room(SpaceBudget budget, SpaceCount count, Sync sync, Reclaim reclaim) {
    /**
     * Looks at more of the space map; commits, since what is reserved is more than what it takes; and then has bulkfree run.
     *
     * @param tried 0, or what the last call for the same change returned
     * @param givesBack as {@link Access#begin}; then bulkfree is not left out because it has run a moment ago
     * @throws FsException ENOSPC when there is nothing more to try; EIO when the commit failed
     */
    int make(int tried, boolean givesBack) {
        // What the background was just counting may be enough: to count further waits for it.
        boolean wantsBlocks = budget.lacksWholeBlocks();
        if (wantsBlocks && (budget.knowsOfMore() || count.further() || budget.knowsOfMore())) {
            return tried;
        }
        if (tried == 0) {
            commit(sync);
        } else if (tried > 1 || !reclaim.onFull(givesBack)) {
            throw none();
        }
        return tried + 1;
    }

    static FsException none() {
        return new FsException(Errno.ENOSPC, "no space that may be used");
    }

    /** As {@link Sync#commit}; EIO when it failed. */
    static void commit(Sync sync) {
        try {
            sync.commit();
        } catch (IOException e) {
            throw commitFailed(e);
        }
    }

    static FsException commitFailed(IOException e) {
        return new FsException(Errno.EIO, "the commit failed: " + e.getMessage());
    }
}
