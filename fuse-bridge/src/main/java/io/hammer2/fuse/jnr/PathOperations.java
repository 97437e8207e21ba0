package io.hammer2.fuse.jnr;

import io.hammer2.fuse.DirectorySink;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseException;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.VolumeStatistics;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/**
 * Operations by path for callers on foreign threads: each runs as one message on an LWKT cpu, walks the path there by lookups and
 * does its work. An answer is what libfuse wants: not negative, or a negated errno.
 */
final class PathOperations {
    private static final int REPORTS_MAX = 100;

    /** What stands in a Java string for bytes that are not UTF-8. */
    private static final char REPLACEMENT = '\uFFFD';

    private final Lwkt lwkt;
    private final FuseOperations operations;
    private final FuseMountOptions options;
    /** Threads of libfuse, spread over the cpus in the order of their coming. */
    private final AtomicInteger threads = new AtomicInteger();

    private final ThreadLocal<Integer> cpu;
    private final AtomicInteger reports = new AtomicInteger();

    PathOperations(Lwkt lwkt, FuseOperations operations, FuseMountOptions options) {
        this.lwkt = lwkt;
        this.operations = operations;
        this.options = options;
        this.cpu = ThreadLocal.withInitial(() -> threads.getAndIncrement() % lwkt.cpuCount());
    }

    /** Who asks, as far as libfuse tells; it has no way to say that the caller was interrupted. */
    record Caller(int uid, int gid, int pid) implements FuseCall {
        @Override
        public boolean interrupted() {
            return false;
        }
    }

    private long onCpu(String what, String path, ToLongFunction<NodeAttributes> body) {
        try {
            return lwkt.run(cpu.get(), () -> {
                try {
                    return body.applyAsLong(new NodeAttributes());
                } catch (FuseException e) {
                    return (long) -e.errno().number();
                }
            });
        } catch (Exception | Error e) {
            report(what, path, e);
            return -FuseErrno.EIO.number();
        }
    }

    private void report(String what, String path, Throwable t) {
        if (reports.getAndIncrement() < REPORTS_MAX) {
            StackTraceElement[] stack = t.getStackTrace();
            options.log()
                    .accept("fuse: " + what + " of " + path + " failed inside: " + t
                            + (stack.length > 0 ? " at " + stack[0] : ""));
        }
    }

    /** Walks from the root. @return the node, whose attributes are then in {@code found} */
    private long walk(FuseCall call, String path, NodeAttributes found) {
        long node = FuseOperations.ROOT;
        boolean rootOnly = true;
        for (int start = 1; start < path.length(); ) {
            int slash = path.indexOf('/', start);
            int end = slash < 0 ? path.length() : slash;
            if (end > start) {
                String name = path.substring(start, end);
                byte[] bytes = name.indexOf(REPLACEMENT) < 0
                        ? name.getBytes(StandardCharsets.UTF_8)
                        : bytesBehind(call, node, name);
                if (!operations.lookup(call, node, MemorySegment.ofArray(bytes), found)) {
                    throw FuseErrno.ENOENT.exception();
                }
                node = found.node();
                rootOnly = false;
            }
            start = end + 1;
        }
        if (rootOnly) {
            operations.getattr(call, node, found);
        }
        return node;
    }

    /**
     * The name in a directory that jnr-fuse has read as {@code name}, bytes that are not UTF-8 being replaced in it. When there
     * are two such names nobody can tell which was meant, and showing one for the other would be worse than neither.
     */
    private byte[] bytesBehind(FuseCall call, long directory, String name) {
        List<byte[]> matches = new ArrayList<>();
        long[] cookie = {0};
        boolean[] progress = {true};
        long handle = operations.opensAreStateless() ? 0 : operations.opendir(call, directory);
        while (progress[0] && matches.size() < 2) {
            progress[0] = false;
            operations.readdir(call, directory, handle, cookie[0], (node, typeBits, entry, nextCookie) -> {
                byte[] bytes = entry.toArray(ValueLayout.JAVA_BYTE);
                if (new String(bytes, StandardCharsets.UTF_8).equals(name)) {
                    matches.add(bytes);
                }
                cookie[0] = nextCookie;
                progress[0] = true;
                return matches.size() < 2;
            });
        }
        if (!operations.opensAreStateless()) {
            operations.releasedir(directory, handle);
        }
        if (matches.size() != 1) {
            throw FuseErrno.ENOENT.exception();
        }
        return matches.getFirst();
    }

    /** @param show gets the attributes, on the cpu */
    long getattr(FuseCall call, String path, Consumer<NodeAttributes> show) {
        return onCpu("getattr", path, found -> {
            walk(call, path, found);
            show.accept(found);
            return 0;
        });
    }

    /** @param into gets the target and a terminating zero, cut if it does not fit, as libfuse wants it */
    long readlink(FuseCall call, String path, MemorySegment into) {
        return onCpu("readlink", path, found -> {
            long node = walk(call, path, found);
            MemorySegment target = MemorySegment.ofArray(new byte[4096]);
            int bytes = operations.readlink(call, node, target);
            long kept = Math.min(bytes, into.byteSize() - 1);
            MemorySegment.copy(target, 0, into, 0, kept);
            into.set(ValueLayout.JAVA_BYTE, kept, (byte) 0);
            return 0;
        });
    }

    boolean opensAreStateless() {
        return operations.opensAreStateless();
    }

    /** @return the handle, or a negated errno */
    long open(FuseCall call, String path, int flags) {
        return onCpu("open", path, found -> operations.open(call, walk(call, path, found), flags));
    }

    long opendir(FuseCall call, String path) {
        return onCpu("opendir", path, found -> operations.opendir(call, walk(call, path, found)));
    }

    long release(FuseCall call, String path, long handle) {
        return onCpu("release", path, found -> {
            operations.release(walk(call, path, found), handle);
            return 0;
        });
    }

    long releasedir(FuseCall call, String path, long handle) {
        return onCpu("releasedir", path, found -> {
            operations.releasedir(walk(call, path, found), handle);
            return 0;
        });
    }

    long read(FuseCall call, String path, long handle, long offset, MemorySegment into) {
        return onCpu("read", path, found -> operations.read(call, walk(call, path, found), handle, offset, into));
    }

    long readdir(FuseCall call, String path, long handle, long cookie, DirectorySink sink) {
        return onCpu("readdir", path, found -> {
            operations.readdir(call, walk(call, path, found), handle, cookie, sink);
            return 0;
        });
    }

    long statfs(FuseCall call, VolumeStatistics into) {
        return onCpu("statfs", "/", found -> {
            operations.statfs(call, into);
            return 0;
        });
    }

    long access(FuseCall call, String path, int mask) {
        return onCpu("access", path, found -> {
            operations.access(call, walk(call, path, found), mask);
            return 0;
        });
    }

    /** @param data what goes in, and where what comes out is put */
    long ioctl(FuseCall call, String path, int command, int inBytes, int outBytes, MemorySegment data) {
        return onCpu("ioctl", path, found -> {
            long node = walk(call, path, found);
            MemorySegment in = MemorySegment.ofArray(new byte[inBytes]);
            in.copyFrom(data.asSlice(0, inBytes));
            MemorySegment out = data.asSlice(0, outBytes).fill((byte) 0);
            return operations.ioctl(call, node, command, in, out);
        });
    }
}
