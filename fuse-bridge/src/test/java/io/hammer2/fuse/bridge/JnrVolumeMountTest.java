package io.hammer2.fuse.bridge;

import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.jnr.JnrTransport;

class JnrVolumeMountTest extends VolumeMountContract {
    @Override
    protected FuseTransport transport() {
        return new JnrTransport();
    }
}
