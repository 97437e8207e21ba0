package io.hammer2.fuse.bridge;

import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.kernel.KernelTransport;

class KernelVolumeMountTest extends VolumeMountContract {
    @Override
    protected FuseTransport transport() {
        return new KernelTransport();
    }
}
