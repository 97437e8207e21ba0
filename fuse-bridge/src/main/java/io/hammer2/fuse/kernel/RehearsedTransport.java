package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Mounts nowhere: the requests come from a {@link RehearsedKernel} in this process, over a pair of sockets that stands for /dev/fuse. All of a
 * server runs as it does for a mount, without rights and without FUSE on the host. For what prepares servers, when they are installed.
 */
public final class RehearsedTransport implements FuseTransport {
    private RehearsedKernel kernel;

    @Override
    public String name() {
        return "rehearsed";
    }

    /** Of what was mounted last. */
    public RehearsedKernel kernel() {
        return kernel;
    }

    @Override
    public RehearsedMount mount(Lwkt lwkt, Path mountPoint, FuseOperations operations, FuseMountOptions options)
            throws IOException {
        int[] ends = socketPair();
        kernel = new RehearsedKernel(ends[1]);
        int fd = ends[0];
        try {
            kernel.sendInit();
            Handshake.run(fd, options);
            kernel.receiveInit();
            KernelCache kernelCache = new KernelCache(fd);
            RequestHandler handler = new RequestHandler(operations, options, kernelCache);
            Connection connection = Connection.open(lwkt, fd, RehearsedTransport::anotherQueue, handler, options);
            connection.start();
            return new RehearsedMount(mountPoint, connection, kernelCache, kernel);
        } catch (IOException | RuntimeException e) {
            kernel.close();
            throw e;
        }
    }

    private static int[] socketPair() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pair = arena.allocate(8, 4);
            int result = Libc.socketPair(Libc.SOCK_SEQPACKET, pair);
            if (result < 0) {
                throw new IOException("no socket for requests: " + Libc.describe(result));
            }
            int[] ends = {pair.get(ValueLayout.JAVA_INT, 0), pair.get(ValueLayout.JAVA_INT, 4)};
            // That of the server, as it is with /dev/fuse; the other side waits for each answer.
            Libc.makeNonBlocking(ends[0]);
            Libc.closeOnExec(ends[1]);
            return ends;
        }
    }

    private static int anotherQueue(int fd) throws IOException {
        int shared = Libc.duplicate(fd);
        if (shared < 0) {
            throw new IOException("no descriptor for another cpu: " + Libc.describe(shared));
        }
        return shared;
    }
}
