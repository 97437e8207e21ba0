package io.hammer2.fs.inode;

import io.hammer2.fs.media.BlockTable;
import io.hammer2.lwkt.Token;

/**
 * The root table of the last commit in which all inodes of a PFS are found by number (format section 8.2). Who walks an older
 * one still finds what it leads to: an inode that changed since is in the {@link InodeTable}, and no block is used again so soon.
 */
public final class InodeIndex {
    private final Token token = new Token("inode index");
    private BlockTable table;

    public InodeIndex(BlockTable table) {
        this.table = table;
    }

    public BlockTable table() {
        token.acquireShared();
        try {
            return table;
        } finally {
            token.release();
        }
    }

    /** @param committed never changes again */
    public void publish(BlockTable committed) {
        token.acquire();
        try {
            table = committed;
        } finally {
            token.release();
        }
    }
}
