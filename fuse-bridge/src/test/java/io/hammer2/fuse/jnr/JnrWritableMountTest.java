package io.hammer2.fuse.jnr;

import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.MemoryOperations;
import io.hammer2.fuse.WritableMountContract;
import io.hammer2.lwkt.Lwkt;

class JnrWritableMountTest extends WritableMountContract {
    @Override
    protected FuseTransport transport() {
        return new JnrTransport();
    }

    @Override
    protected FuseOperations operations(Lwkt runtime) {
        return new MemoryOperations(false);
    }
}
