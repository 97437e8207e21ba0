package io.hammer2.fuse.bridge;

import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.kernel.KernelTransport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

class KernelVolumeMountTest extends VolumeMountContract {
    @Override
    protected FuseTransport transport() {
        return new KernelTransport();
    }

    /** libfuse 2.9 asks for it by its name. */
    @Test
    void an_open_directory_outlives_its_name(TestInfo test) {
        good(test, """
                os.mkdir("d")
                here = os.open("d", os.O_RDONLY | os.O_DIRECTORY)
                os.rmdir("d")
                assert os.listdir(here) == []
                assert stat.S_ISDIR(os.fstat(here).st_mode)
                fails(errno.ENOENT, os.mkdir, "x", dir_fd=here)
                os.close(here)
                """);
    }
}
