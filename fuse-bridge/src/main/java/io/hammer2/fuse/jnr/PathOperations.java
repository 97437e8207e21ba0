package io.hammer2.fuse.jnr;

import io.hammer2.fuse.DirectorySink;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseException;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.NodeChange;
import io.hammer2.fuse.VolumeStatistics;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/**
 * Operations by path for callers on foreign threads: each runs as one message on an LWKT cpu, walks the path there by lookups and
 * does its work. An answer is what libfuse wants: not negative, or a negated errno.
 */
final class PathOperations {
    private static final int REPORTS_MAX = 100;
    private static final int PERMISSIONS = 07777;

    /** What stands in a Java string for bytes that are not UTF-8. */
    private static final char REPLACEMENT = '\uFFFD';

    private final Lwkt lwkt;
    private final FuseOperations operations;
    private final FuseMountOptions options;
    /** Threads of libfuse, spread over the cpus in the order of their coming. */
    private final AtomicInteger threads = new AtomicInteger();

    private final ThreadLocal<Integer> cpu;
    private final AtomicInteger reports = new AtomicInteger();
    /** What libfuse knows open files by; none when opens are stateless. */
    private final ConcurrentMap<Long, OpenFile> openFiles = new ConcurrentHashMap<>();

    private final AtomicLong opened = new AtomicLong();

    PathOperations(Lwkt lwkt, FuseOperations operations, FuseMountOptions options) {
        this.lwkt = lwkt;
        this.operations = operations;
        this.options = options;
        this.cpu = ThreadLocal.withInitial(() -> threads.getAndIncrement() % lwkt.cpuCount());
    }

    /** Who asks, as far as libfuse tells; it has no way to say that the caller was interrupted. */
    record Caller(int uid, int gid, int pid) implements FuseCall {
        @Override
        public boolean keepsTimes() {
            return false;
        }

        @Override
        public boolean interrupted() {
            return false;
        }
    }

    /** An open file needs no walk, and stays what it is when its names change. */
    private record OpenFile(long node, long handle) {}

    /** A name in a directory. */
    private record Place(long parent, MemorySegment name) {}

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
        long node = walk(call, path, path.length(), found);
        if (node == FuseOperations.ROOT) {
            operations.getattr(call, node, found);
        }
        return node;
    }

    /** As above, of the path's beginning up to {@code length}; fills in nothing when that is the root. */
    private long walk(FuseCall call, String path, int length, NodeAttributes found) {
        long node = FuseOperations.ROOT;
        for (int start = 1; start < length; ) {
            int slash = path.indexOf('/', start);
            int end = slash < 0 || slash > length ? length : slash;
            if (end > start) {
                MemorySegment name = nameThere(call, node, path.substring(start, end));
                if (!operations.lookup(call, node, name, found)) {
                    throw FuseErrno.ENOENT.exception();
                }
                node = found.node();
            }
            start = end + 1;
        }
        return node;
    }

    private MemorySegment nameThere(FuseCall call, long directory, String name) {
        return MemorySegment.ofArray(
                name.indexOf(REPLACEMENT) < 0
                        ? name.getBytes(StandardCharsets.UTF_8)
                        : bytesBehind(call, directory, name));
    }

    /** Where a path leads, by a name that is there already. */
    private Place placeThere(FuseCall call, String path, NodeAttributes found) {
        int slash = path.lastIndexOf('/');
        long parent = walk(call, path, slash, found);
        return new Place(parent, nameThere(call, parent, path.substring(slash + 1)));
    }

    /** Where a path leads, by a name that is new. */
    private Place newPlace(FuseCall call, String path, NodeAttributes found) {
        int slash = path.lastIndexOf('/');
        return new Place(walk(call, path, slash, found), newName(path.substring(slash + 1)));
    }

    /** What the bytes of a new name were, nobody knows any more when they were not UTF-8. */
    private static MemorySegment newName(String name) {
        if (name.indexOf(REPLACEMENT) >= 0) {
            throw FuseErrno.EINVAL.exception();
        }
        return MemorySegment.ofArray(name.getBytes(StandardCharsets.UTF_8));
    }

    /** @param file by which libfuse knows it, 0 for a file of which nothing is kept */
    private OpenFile fileOf(FuseCall call, String path, long file, NodeAttributes found) {
        OpenFile open = openFiles.get(file);
        return open != null ? open : new OpenFile(walk(call, path, found), 0);
    }

    private long keep(long node, long handle) {
        long file = opened.incrementAndGet();
        openFiles.put(file, new OpenFile(node, handle));
        return file;
    }

    /**
     * The name in a directory that jnr-fuse has read as {@code name}, bytes that are not UTF-8 being replaced in it. When there
     * are two such names nobody can tell which was meant, and showing one for the other would be worse than neither.
     */
    private byte[] bytesBehind(FuseCall call, long directory, String name) {
        List<byte[]> matches = new ArrayList<>();
        long[] cookie = {0};
        boolean[] progress = {true};
        long handle = operations.opendirsAreStateless() ? 0 : operations.opendir(call, directory);
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
        if (!operations.opendirsAreStateless()) {
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

    /** @param file that is open, or 0 */
    long getattr(FuseCall call, String path, long file, Consumer<NodeAttributes> show) {
        return onCpu("getattr", path, found -> {
            operations.getattr(call, fileOf(call, path, file, found).node, found);
            show.accept(found);
            return 0;
        });
    }

    boolean opensAreStateless() {
        return operations.opensAreStateless();
    }

    boolean opendirsAreStateless() {
        return operations.opendirsAreStateless();
    }

    /** @return by what libfuse may know the open file, or a negated errno */
    long open(FuseCall call, String path, int flags) {
        return onCpu("open", path, found -> {
            long node = walk(call, path, found);
            return keep(node, operations.open(call, node, flags));
        });
    }

    /** @return as {@link #open} */
    long create(FuseCall call, String path, int mode, int flags) {
        return onCpu("create", path, found -> {
            Place at = newPlace(call, path, found);
            long handle = operations.create(call, at.parent, at.name, mode & PERMISSIONS, flags, found);
            long node = found.node();
            if (operations.opensAreStateless()) {
                operations.release(node, handle);
                return 0;
            }
            return keep(node, handle);
        });
    }

    long opendir(FuseCall call, String path) {
        return onCpu("opendir", path, found -> operations.opendir(call, walk(call, path, found)));
    }

    long release(long file) {
        return onCpu("release", "an open file", found -> {
            OpenFile open = openFiles.remove(file);
            if (open != null) {
                operations.release(open.node, open.handle);
            }
            return 0;
        });
    }

    long releasedir(FuseCall call, String path, long handle) {
        return onCpu("releasedir", path, found -> {
            operations.releasedir(walk(call, path, found), handle);
            return 0;
        });
    }

    long read(FuseCall call, String path, long file, long offset, MemorySegment into) {
        return onCpu("read", path, found -> {
            OpenFile open = fileOf(call, path, file, found);
            return operations.read(call, open.node, open.handle, offset, into);
        });
    }

    long write(FuseCall call, String path, long file, long offset, MemorySegment from) {
        return onCpu("write", path, found -> {
            OpenFile open = fileOf(call, path, file, found);
            return operations.write(call, open.node, open.handle, offset, from, 0);
        });
    }

    long fsync(FuseCall call, String path, long file, boolean dataOnly) {
        return onCpu("fsync", path, found -> {
            operations.fsync(call, fileOf(call, path, file, found).node, dataOnly);
            return 0;
        });
    }

    long fallocate(FuseCall call, String path, long file, long offset, long length, int mode) {
        return onCpu("fallocate", path, found -> {
            OpenFile open = fileOf(call, path, file, found);
            operations.fallocate(call, open.node, open.handle, offset, length, mode);
            return 0;
        });
    }

    long setattr(FuseCall call, String path, long file, NodeChange change) {
        return onCpu("setattr", path, found -> {
            operations.setattr(call, fileOf(call, path, file, found).node, change, found);
            return 0;
        });
    }

    /** @param mode with its type */
    long mknod(FuseCall call, String path, int mode, int major, int minor) {
        return onCpu("mknod", path, found -> {
            Place at = newPlace(call, path, found);
            operations.mknod(call, at.parent, at.name, mode, major, minor, found);
            return 0;
        });
    }

    long mkdir(FuseCall call, String path, int mode) {
        return onCpu("mkdir", path, found -> {
            Place at = newPlace(call, path, found);
            operations.mkdir(call, at.parent, at.name, mode & PERMISSIONS, found);
            return 0;
        });
    }

    long symlink(FuseCall call, String target, String path) {
        return onCpu("symlink", path, found -> {
            Place at = newPlace(call, path, found);
            operations.symlink(call, at.parent, at.name, newName(target), found);
            return 0;
        });
    }

    long link(FuseCall call, String path, String newPath) {
        return onCpu("link", path, found -> {
            long node = walk(call, path, found);
            Place at = newPlace(call, newPath, found);
            operations.link(call, node, at.parent, at.name, found);
            return 0;
        });
    }

    long unlink(FuseCall call, String path) {
        return onCpu("unlink", path, found -> {
            Place at = placeThere(call, path, found);
            operations.unlink(call, at.parent, at.name);
            return 0;
        });
    }

    long rmdir(FuseCall call, String path) {
        return onCpu("rmdir", path, found -> {
            Place at = placeThere(call, path, found);
            operations.rmdir(call, at.parent, at.name);
            return 0;
        });
    }

    long rename(FuseCall call, String path, String newPath) {
        return onCpu("rename", path, found -> {
            Place from = placeThere(call, path, found);
            Place to = newPlace(call, newPath, found);
            operations.rename(call, from.parent, from.name, to.parent, to.name, 0);
            return 0;
        });
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
