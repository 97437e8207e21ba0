package io.hammer2.fuse.jnr;

import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.MountContract;

class JnrMountTest extends MountContract {
    @Override
    protected FuseTransport transport() {
        return new JnrTransport();
    }
}
