package io.hammer2.fuse;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file system of the tests: a tree in memory that is built first and never changes while it is mounted. Lookups, attributes and
 * reads allocate nothing, so that what a test measures is the transport's.
 */
public final class MemoryOperations implements FuseOperations {
    /** An ioctl with 64 bytes both ways: answers each byte plus one. */
    public static final int IOCTL_ADD_ONE = 0xc0406801;

    private static final MemorySegment DOT = MemorySegment.ofArray(utf8("."));
    private static final MemorySegment DOT_DOT = MemorySegment.ofArray(utf8(".."));

    public static final long TIME_MICROS = 1_600_000_000_123_456L;
    public static final long BIRTH_MICROS = 1_500_000_000_654_321L;

    /** What reading a node does instead of reading. */
    public interface Reading {
        int read(FuseCall call, long offset, MemorySegment into);
    }

    private static final class Node {
        private final long id;
        private final int mode;
        private final byte[] data;
        private final Node parent;
        private final List<Entry> entries = new ArrayList<>();
        private Entry[] table = new Entry[16];
        private int device;
        private long sizeBytes;
        private long holeEnd;
        private Reading reading;

        Node(long id, int mode, byte[] data, Node parent) {
            this.id = id;
            this.mode = mode;
            this.data = data;
            this.sizeBytes = data.length;
            this.parent = parent == null ? this : parent;
        }

        void add(byte[] name, Node child) {
            Entry entry = new Entry(MemorySegment.ofArray(name), child);
            entries.add(entry);
            if (entries.size() * 2 > table.length) {
                table = new Entry[table.length * 4];
                entries.forEach(this::put);
            } else {
                put(entry);
            }
        }

        private void put(Entry entry) {
            int at = hash(entry.name) & (table.length - 1);
            while (table[at] != null) {
                at = (at + 1) & (table.length - 1);
            }
            table[at] = entry;
        }

        Node find(MemorySegment name) {
            int at = hash(name) & (table.length - 1);
            while (table[at] != null) {
                if (same(table[at].name, name)) {
                    return table[at].child;
                }
                at = (at + 1) & (table.length - 1);
            }
            return null;
        }
    }

    private record Entry(MemorySegment name, Node child) {}

    private final List<Node> nodes = new ArrayList<>();
    private final boolean stateless;

    public final AtomicInteger opens = new AtomicInteger();
    public final AtomicInteger releases = new AtomicInteger();
    public final AtomicInteger attributeCalls = new AtomicInteger();
    public final AtomicInteger listings = new AtomicInteger();
    public final AtomicLong forgotten = new AtomicLong();
    public final AtomicInteger largestRead = new AtomicInteger();

    /** @param stateless whether opens need not be told */
    public MemoryOperations(boolean stateless) {
        this.stateless = stateless;
        nodes.add(new Node(ROOT, NodeAttributes.DIRECTORY | 0755, new byte[0], null));
    }

    private static int hash(MemorySegment name) {
        int h = 17;
        for (long i = 0; i < name.byteSize(); i++) {
            h = h * 31 + name.get(ValueLayout.JAVA_BYTE, i);
        }
        return h ^ (h >>> 15);
    }

    private static boolean same(MemorySegment a, MemorySegment b) {
        if (a.byteSize() != b.byteSize()) {
            return false;
        }
        for (long i = 0; i < a.byteSize(); i++) {
            if (a.get(ValueLayout.JAVA_BYTE, i) != b.get(ValueLayout.JAVA_BYTE, i)) {
                return false;
            }
        }
        return true;
    }

    private Node node(long id) {
        if (id < 1 || id > nodes.size()) {
            throw FuseErrno.ESTALE.exception();
        }
        return nodes.get((int) id - 1);
    }

    private Node make(long parent, byte[] name, int mode, byte[] data) {
        Node node = new Node(nodes.size() + 1, mode, data, node(parent));
        nodes.add(node);
        node(parent).add(name, node);
        return node;
    }

    private static byte[] utf8(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    public long directory(long parent, String name) {
        return make(parent, utf8(name), NodeAttributes.DIRECTORY | 0755, new byte[0]).id;
    }

    public long file(long parent, String name, byte[] data) {
        return make(parent, utf8(name), NodeAttributes.REGULAR | 0644, data).id;
    }

    /** A file with any bytes as its name. */
    public long file(long parent, byte[] name, byte[] data) {
        return make(parent, name, NodeAttributes.REGULAR | 0644, data).id;
    }

    /** A file that only its mode tells from others. */
    public long file(long parent, String name, int mode, byte[] data) {
        return make(parent, utf8(name), mode, data).id;
    }

    /** A file of zeros up to {@code holeEnd} and of sevens from there to its end. */
    public long sparseFile(long parent, String name, long holeEnd, long sizeBytes) {
        Node node = make(parent, utf8(name), NodeAttributes.REGULAR | 0644, new byte[0]);
        node.holeEnd = holeEnd;
        node.sizeBytes = sizeBytes;
        return node.id;
    }

    /** A file of {@code sizeBytes} that is read by {@code reading}. */
    public long file(long parent, String name, long sizeBytes, Reading reading) {
        Node node = make(parent, utf8(name), NodeAttributes.REGULAR | 0644, new byte[0]);
        node.sizeBytes = sizeBytes;
        node.reading = reading;
        return node.id;
    }

    public long symlink(long parent, String name, String target) {
        return make(parent, utf8(name), NodeAttributes.SYMLINK | 0777, utf8(target)).id;
    }

    public long device(long parent, String name, int mode, int device) {
        Node node = make(parent, utf8(name), mode, new byte[0]);
        node.device = device;
        return node.id;
    }

    @Override
    public boolean lookup(FuseCall call, long parent, MemorySegment name, NodeAttributes into) {
        Node directory = node(parent);
        if ((directory.mode & NodeAttributes.TYPE_MASK) != NodeAttributes.DIRECTORY) {
            throw FuseErrno.ENOTDIR.exception();
        }
        if (name.byteSize() > 255) {
            throw FuseErrno.ENAMETOOLONG.exception();
        }
        Node found = directory.find(name);
        if (found == null) {
            return false;
        }
        fill(found, into);
        return true;
    }

    private static void fill(Node node, NodeAttributes into) {
        into.clear()
                .node(node.id)
                .mode(node.mode)
                .linkCount(1)
                .owner(1000, 1001)
                .device(node.device >>> 16, node.device & 0xffff)
                .size(node.sizeBytes, (node.sizeBytes + 511) / 512)
                .times(TIME_MICROS, TIME_MICROS + 1, TIME_MICROS + 2)
                .btimeMicros(BIRTH_MICROS)
                .flags((node.mode & 0222) == 0, false, false);
    }

    @Override
    public void forget(long node, long lookups) {
        forgotten.addAndGet(lookups);
    }

    @Override
    public void getattr(FuseCall call, long node, NodeAttributes into) {
        attributeCalls.incrementAndGet();
        fill(node(node), into);
    }

    @Override
    public int readlink(FuseCall call, long node, MemorySegment into) {
        byte[] target = node(node).data;
        MemorySegment.copy(target, 0, into, ValueLayout.JAVA_BYTE, 0, target.length);
        return target.length;
    }

    @Override
    public boolean opensAreStateless() {
        return stateless;
    }

    @Override
    public long open(FuseCall call, long node, int flags) {
        opens.incrementAndGet();
        return node + 1000;
    }

    @Override
    public int read(FuseCall call, long node, long handle, long offset, MemorySegment into) {
        if (!stateless && handle != node + 1000) {
            throw FuseErrno.EBADF.exception();
        }
        Node file = node(node);
        largestRead.accumulateAndGet((int) into.byteSize(), Math::max);
        if (file.reading != null) {
            return file.reading.read(call, offset, into);
        }
        int bytes = (int) Math.clamp(file.sizeBytes - offset, 0L, into.byteSize());
        if (bytes == 0) {
            return 0;
        }
        if (file.data.length > 0) {
            MemorySegment.copy(file.data, (int) offset, into, ValueLayout.JAVA_BYTE, 0, bytes);
        } else {
            long zeros = Math.clamp(file.holeEnd - offset, 0L, bytes);
            into.asSlice(0, zeros).fill((byte) 0);
            into.asSlice(zeros, bytes - zeros).fill((byte) 7);
        }
        return bytes;
    }

    @Override
    public void release(long node, long handle) {
        releases.incrementAndGet();
    }

    @Override
    public long opendir(FuseCall call, long node) {
        opens.incrementAndGet();
        return node + 2000;
    }

    @Override
    public void readdir(FuseCall call, long node, long handle, long cookie, DirectorySink sink) {
        listings.incrementAndGet();
        if (!stateless && handle != node + 2000) {
            throw FuseErrno.EBADF.exception();
        }
        Node directory = node(node);
        if (cookie < 1 && !sink.entry(node, NodeAttributes.DIRECTORY, DOT, 1)) {
            return;
        }
        if (cookie < 2 && !sink.entry(directory.parent.id, NodeAttributes.DIRECTORY, DOT_DOT, 2)) {
            return;
        }
        for (int i = (int) Math.max(cookie - 2, 0); i < directory.entries.size(); i++) {
            Entry entry = directory.entries.get(i);
            if (!sink.entry(entry.child.id, entry.child.mode, entry.name, i + 3)) {
                return;
            }
        }
    }

    @Override
    public void releasedir(long node, long handle) {
        releases.incrementAndGet();
    }

    @Override
    public void statfs(FuseCall call, VolumeStatistics into) {
        into.space(65536, 1000, 500, 400).nodes(5000, 4000).nameBytesMax(255);
    }

    @Override
    public void access(FuseCall call, long node, int mask) {
        if ((mask & ACCESS_WRITE) != 0) {
            throw FuseErrno.EROFS.exception();
        }
    }

    @Override
    public long lseek(FuseCall call, long node, long handle, long offset, int whence) {
        Node file = node(node);
        if (offset < 0 || offset >= file.sizeBytes) {
            throw FuseErrno.ENXIO.exception();
        }
        if (whence == SEEK_DATA) {
            return Math.max(offset, file.holeEnd);
        }
        return offset < file.holeEnd ? offset : file.sizeBytes;
    }

    @Override
    public int ioctl(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command != IOCTL_ADD_ONE) {
            throw FuseErrno.ENOTTY.exception();
        }
        for (long i = 0; i < out.byteSize(); i++) {
            out.set(ValueLayout.JAVA_BYTE, i, (byte) (in.get(ValueLayout.JAVA_BYTE, i) + 1));
        }
        return 5;
    }

    /** Bytes that differ at every place nearby. */
    public static byte[] pattern(int bytes) {
        byte[] data = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            data[i] = (byte) (i * 31 + (i >>> 12));
        }
        return data;
    }

    /** Names of the entries that {@link #fillDirectory} makes, in order. */
    public static String nameOf(int index) {
        char[] tail = new char[index % 60];
        Arrays.fill(tail, 'x');
        return "entry-" + index + "-" + new String(tail);
    }

    public void fillDirectory(long directory, int count) {
        for (int i = 0; i < count; i++) {
            file(directory, nameOf(i), new byte[i % 7]);
        }
    }
}
