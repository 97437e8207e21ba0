package io.hammer2.fs.chain;

import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.media.BlockTable;
import java.util.ArrayDeque;

/** One cpu's walks through block tables. */
public final class Topology {
    private final BlockIo io;
    private final ArrayDeque<Cursor> idleCursors = new ArrayDeque<>();

    public Topology(BlockIo io) {
        this.io = io;
    }

    public BlockIo io() {
        return io;
    }

    /**
     * A position, not yet anywhere, among the leaves below {@code root}; to be closed on this cpu.
     *
     * @param root validated, and unchanged until the cursor is closed
     */
    public Cursor cursor(BlockTable root) {
        io.cpu().assertCurrent();
        Cursor cursor = idleCursors.poll();
        return (cursor != null ? cursor : new Cursor(this)).open(root);
    }

    void closed(Cursor cursor) {
        idleCursors.push(cursor);
    }
}
