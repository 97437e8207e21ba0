package io.hammer2.fuse;

import io.hammer2.fuse.jnr.JnrTransport;
import io.hammer2.fuse.kernel.KernelTransport;
import io.hammer2.lwkt.Lwkt;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A server in a process of its own, for tests that kill it: {@code kernel|jnr MOUNTPOINT [WORD...]}. */
public final class ServeMemory {
    private ServeMemory() {}

    public static void main(String[] arguments) throws Exception {
        // In that order, so that a server whose user may not read the other transport's libraries starts too.
        FuseTransport transport = arguments[0].equals("kernel") ? new KernelTransport() : new JnrTransport();
        FuseMountOptions.Builder options = FuseMountOptions.builder("memory@TEST");
        for (int i = 2; i < arguments.length; i++) {
            if (!options.option(arguments[i])) {
                throw new IllegalArgumentException(arguments[i]);
            }
        }
        MemoryOperations files = new MemoryOperations(true);
        files.file(1, "hello", "hello world\n".getBytes(StandardCharsets.UTF_8));
        try (Lwkt lwkt = Lwkt.dedicated(2)) {
            FuseMount mount = transport.mount(lwkt, Path.of(arguments[1]), files, options.build());
            System.out.println("READY");
            mount.awaitUnmounted();
            System.out.println("ENDED");
        }
    }
}
