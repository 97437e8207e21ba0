package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fuse.kernel.RehearsedKernel;
import io.hammer2.fuse.kernel.RehearsedKernel.Opened;
import io.hammer2.fuse.kernel.RehearsedTransport;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server that is used over sockets instead of /dev/fuse. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ServerTrainingTest {
    @TempDir
    private Path folder;

    @Test
    void what_the_training_did_is_on_the_volume_and_the_volume_is_whole() throws Exception {
        String image = CacheTraining.server(folder, new ServerTraining.Amount(2, 200, 30));
        assertEquals(0, FsckCommand.run(Console.system(), "-q", image));
        withServer(image, kernel -> {
            long directory = kernel.lookup(RehearsedKernel.ROOT, "small1-7");
            assertTrue(kernel.lookup(directory, "f7") != 0);
            assertEquals(0, kernel.lookup(RehearsedKernel.ROOT, "empty1-7"), "it was removed");
            assertTrue(kernel.lookup(RehearsedKernel.ROOT, "tree1") != 0);
        });
        assertTrue(
                Run.hammer2("pfs-list", image).succeeded().out().lines().noneMatch(line -> line.contains("snapshot")));
    }

    @Test
    void a_request_gets_what_the_file_system_answers_and_its_errors_are_told() throws Exception {
        String image = folder.resolve("image").toString();
        NewfsCommand.run(Console.system(), "-s", "64M", image);
        MemorySegment data = MemorySegment.ofArray("of a rehearsal".getBytes(StandardCharsets.US_ASCII));
        withServer(image, kernel -> {
            Opened file = kernel.create(RehearsedKernel.ROOT, "file");
            kernel.write(file, 0, data);
            kernel.release(file);
            assertThrows(IOException.class, () -> kernel.rmdir(RehearsedKernel.ROOT, "file"));
            assertThrows(IOException.class, () -> kernel.unlink(RehearsedKernel.ROOT, "nothing"));
        });
        withServer(image, kernel -> {
            Opened file = kernel.open(kernel.lookup(RehearsedKernel.ROOT, "file"));
            int got = kernel.read(file, 0, 4096);
            assertEquals(data.byteSize(), got);
            assertEquals(-1, data.mismatch(kernel.readData(got)));
            assertEquals('o', kernel.readData(got).get(ValueLayout.JAVA_BYTE, 0));
        });
    }

    @FunctionalInterface
    private interface Use {
        void of(RehearsedKernel kernel) throws IOException;
    }

    private void withServer(String image, Use use) throws Exception {
        RehearsedTransport transport = new RehearsedTransport();
        MountRequest request = MountRequest.of(image, folder, List.of());
        VolumeServer server = VolumeServer.start(request, words -> transport, List.of(folder), System.err::println);
        try {
            use.of(transport.kernel());
        } finally {
            server.close();
        }
    }
}
