package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.MemoryOperations;
import io.hammer2.fuse.WritableMountContract;
import io.hammer2.lwkt.Lwkt;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

class KernelWritableMountTest extends WritableMountContract {
    private final MemoryOperations files = new MemoryOperations(false);

    @Override
    protected FuseTransport transport() {
        return new KernelTransport();
    }

    @Override
    protected FuseOperations operations(Lwkt runtime) {
        return files;
    }

    @Override
    protected void ended() {
        assertEquals(files.opens.get(), files.releases.get(), "each open is released");
    }

    @Test
    void a_sequential_writer_is_served_by_requests_of_1_MiB(TestInfo test) throws Exception {
        good(test, "put('f', pattern(8 << 20)); assert get('f') == pattern(8 << 20)");
        assertEquals(1 << 20, files.largestWrite.get());
        Path queue = Path.of(
                "/sys/class/bdi", MountTable.topmostAt(root).orElseThrow().device());
        assertEquals("50", Files.readString(queue.resolve("max_ratio")).trim());
    }

    @Test
    void a_copy_is_the_file_systems_to_make(TestInfo test) {
        int before = files.copies.get();
        good(test, """
                put("a", pattern(1 << 20))
                put("b", b"")
                a, b = os.open("a", os.O_RDONLY), os.open("b", os.O_WRONLY)
                assert os.copy_file_range(a, b, 1 << 20) > 0
                """);
        assertTrue(files.copies.get() > before);
    }
}
