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
 * A file system of the tests: a tree in memory, built first and then mounted. Lookups, attributes, reads and writes allocate
 * nothing, so that what a test measures is the transport's. Any cpu may call; a monitor is held for no longer than a copy takes.
 */
public final class MemoryOperations implements FuseOperations {
    /** An ioctl with 64 bytes both ways: answers each byte plus one. */
    public static final int IOCTL_ADD_ONE = 0xc0406801;

    private static final int IOCTL_GET_FLAGS = 0x80086601;
    private static final int IOCTL_SET_FLAGS = 0x40086602;
    private static final int IOCTL_GET_XFLAGS = 0x801c581f;
    private static final int FLAG_IMMUTABLE = 0x10;
    private static final int FLAG_APPEND = 0x20;
    private static final int FLAG_NODUMP = 0x40;

    /** Larger files are refused, so that made-up requests do not fill the heap. */
    public static final long FILE_BYTES_MAX = 64L << 20;

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
        private final List<Entry> entries = new ArrayList<>();
        private Entry[] table = new Entry[16];
        private int entryCount;
        private Node parent;
        private int mode;
        private int uid = 1000;
        private int gid = 1001;
        private int links = 1;
        private int opens;
        private int flags;
        private byte[] data;
        private int major;
        private int minor;
        private long sizeBytes;
        private long atimeMicros = TIME_MICROS;
        private long mtimeMicros = TIME_MICROS + 1;
        private long ctimeMicros = TIME_MICROS + 2;
        private boolean sparse;
        private long holeEnd;
        private Reading reading;

        Node(long id, int mode, byte[] data, Node parent) {
            this.id = id;
            this.mode = mode;
            this.data = data;
            this.sizeBytes = data.length;
            this.parent = parent == null ? this : parent;
            this.flags = (mode & 0222) == 0 ? FLAG_IMMUTABLE : 0;
        }

        boolean isDirectory() {
            return (mode & NodeAttributes.TYPE_MASK) == NodeAttributes.DIRECTORY;
        }

        boolean isGone() {
            return links == 0 && opens == 0;
        }

        void add(byte[] name, Node child) {
            Entry entry = new Entry(MemorySegment.ofArray(name), child);
            entries.add(entry);
            entryCount++;
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

        Entry entry(MemorySegment name) {
            int at = hash(name) & (table.length - 1);
            while (table[at] != null) {
                if (table[at].child != null && same(table[at].name, name)) {
                    return table[at];
                }
                at = (at + 1) & (table.length - 1);
            }
            return null;
        }

        Node find(MemorySegment name) {
            Entry entry = entry(name);
            return entry == null ? null : entry.child;
        }

        void resize(long bytes) {
            if (sparse || reading != null || bytes > FILE_BYTES_MAX) {
                throw FuseErrno.EFBIG.exception();
            }
            if (bytes < sizeBytes) {
                Arrays.fill(data, (int) bytes, (int) sizeBytes, (byte) 0);
            } else if (bytes > data.length) {
                data = Arrays.copyOf(data, (int) Math.min(FILE_BYTES_MAX, Math.max(bytes, data.length * 2L)));
            }
            sizeBytes = bytes;
        }

        void dropSetId() {
            mode &= (mode & 010) != 0 ? ~06000 : ~04000;
        }

        void changed() {
            mtimeMicros = System.currentTimeMillis() * 1000;
            ctimeMicros = mtimeMicros;
        }
    }

    /** Stays in its place without a child when it is removed, so that cookies stay good. */
    private static final class Entry {
        private final MemorySegment name;
        private Node child;

        Entry(MemorySegment name, Node child) {
            this.name = name;
            this.child = child;
        }
    }

    private final List<Node> nodes = new ArrayList<>();
    private final boolean stateless;

    public final AtomicInteger opens = new AtomicInteger();
    public final AtomicInteger releases = new AtomicInteger();
    public final AtomicInteger attributeCalls = new AtomicInteger();
    public final AtomicInteger listings = new AtomicInteger();
    public final AtomicLong forgotten = new AtomicLong();
    public final AtomicInteger largestRead = new AtomicInteger();
    public final AtomicInteger largestWrite = new AtomicInteger();
    public final AtomicInteger copies = new AtomicInteger();
    public final AtomicInteger syncs = new AtomicInteger();

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
        if (id < 1 || id > nodes.size() || nodes.get((int) id - 1).isGone()) {
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
        node.sparse = true;
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
        node.major = device >>> 16;
        node.minor = device & 0xffff;
        return node.id;
    }

    @Override
    public synchronized boolean lookup(FuseCall call, long parent, MemorySegment name, NodeAttributes into) {
        Node found = directory(parent, name).find(name);
        if (found == null) {
            return false;
        }
        fill(found, into);
        return true;
    }

    private Node directory(long id, MemorySegment name) {
        Node directory = node(id);
        if (!directory.isDirectory()) {
            throw FuseErrno.ENOTDIR.exception();
        }
        if (name.byteSize() > 255) {
            throw FuseErrno.ENAMETOOLONG.exception();
        }
        return directory;
    }

    private static void fill(Node node, NodeAttributes into) {
        into.clear()
                .node(node.id)
                .mode(node.mode)
                .linkCount(node.links)
                .owner(node.uid, node.gid)
                .device(node.major, node.minor)
                .size(node.sizeBytes, (node.sizeBytes + 511) / 512)
                .times(node.atimeMicros, node.mtimeMicros, node.ctimeMicros)
                .btimeMicros(BIRTH_MICROS)
                .flags(
                        (node.flags & FLAG_IMMUTABLE) != 0,
                        (node.flags & FLAG_APPEND) != 0,
                        (node.flags & FLAG_NODUMP) != 0);
    }

    @Override
    public void forget(long node, long lookups) {
        forgotten.addAndGet(lookups);
    }

    @Override
    public synchronized void getattr(FuseCall call, long node, NodeAttributes into) {
        attributeCalls.incrementAndGet();
        fill(node(node), into);
    }

    @Override
    public synchronized int readlink(FuseCall call, long node, MemorySegment into) {
        byte[] target = node(node).data;
        int bytes = (int) Math.min(target.length, into.byteSize());
        MemorySegment.copy(target, 0, into, ValueLayout.JAVA_BYTE, 0, bytes);
        return bytes;
    }

    @Override
    public boolean opensAreStateless() {
        return stateless;
    }

    @Override
    public boolean opendirsAreStateless() {
        return stateless;
    }

    @Override
    public synchronized long open(FuseCall call, long node, int flags) {
        Node file = node(node);
        if ((flags & OPEN_TRUNCATE) != 0) {
            file.resize(0);
            file.changed();
            if ((flags & OPEN_DROP_SETID) != 0) {
                file.dropSetId();
            }
        }
        file.opens++;
        opens.incrementAndGet();
        return node + 1000;
    }

    @Override
    public int read(FuseCall call, long node, long handle, long offset, MemorySegment into) {
        Node file = file(node, handle);
        largestRead.accumulateAndGet((int) into.byteSize(), Math::max);
        return file.reading != null ? file.reading.read(call, offset, into) : read(file, offset, into);
    }

    private synchronized Node file(long node, long handle) {
        if (!stateless && handle != node + 1000) {
            throw FuseErrno.EBADF.exception();
        }
        return node(node);
    }

    private synchronized int read(Node file, long offset, MemorySegment into) {
        int bytes = (int) Math.clamp(file.sizeBytes - offset, 0L, into.byteSize());
        if (bytes == 0) {
            return 0;
        }
        if (file.sparse) {
            long zeros = Math.clamp(file.holeEnd - offset, 0L, bytes);
            into.asSlice(0, zeros).fill((byte) 0);
            into.asSlice(zeros, bytes - zeros).fill((byte) 7);
        } else {
            MemorySegment.copy(file.data, (int) offset, into, ValueLayout.JAVA_BYTE, 0, bytes);
        }
        return bytes;
    }

    @Override
    public synchronized void release(long node, long handle) {
        releases.incrementAndGet();
        node(node).opens--;
    }

    @Override
    public synchronized long opendir(FuseCall call, long node) {
        opens.incrementAndGet();
        return node + 2000;
    }

    @Override
    public synchronized void readdir(FuseCall call, long node, long handle, long cookie, DirectorySink sink) {
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
        for (int i = (int) Math.clamp(cookie - 2, 0L, Integer.MAX_VALUE); i < directory.entries.size(); i++) {
            Entry entry = directory.entries.get(i);
            if (entry.child != null && !sink.entry(entry.child.id, entry.child.mode, entry.name, i + 3)) {
                return;
            }
        }
    }

    @Override
    public void releasedir(long node, long handle) {
        releases.incrementAndGet();
    }

    @Override
    public synchronized long create(
            FuseCall call, long parent, MemorySegment name, int mode, int flags, NodeAttributes into) {
        fill(make(call, parent, name, NodeAttributes.REGULAR | mode, new byte[0]), into);
        return open(call, into.node(), flags & ~OPEN_TRUNCATE);
    }

    @Override
    public synchronized long tmpfile(FuseCall call, long parent, int mode, int flags, NodeAttributes into) {
        Node file = new Node(nodes.size() + 1, NodeAttributes.REGULAR | mode, new byte[0], node(parent));
        file.uid = call.uid();
        file.gid = call.gid();
        file.flags = 0;
        file.links = 0;
        nodes.add(file);
        file.opens++;
        opens.incrementAndGet();
        fill(file, into);
        return file.id + 1000;
    }

    private Node make(FuseCall call, long parent, MemorySegment name, int mode, byte[] data) {
        Node directory = directory(parent, name);
        if (directory.find(name) != null) {
            throw FuseErrno.EEXIST.exception();
        }
        Node node = make(parent, name.toArray(ValueLayout.JAVA_BYTE), mode, data);
        node.uid = call.uid();
        node.gid = call.gid();
        node.flags = 0;
        node.changed();
        directory.changed();
        return node;
    }

    @Override
    public synchronized void mknod(
            FuseCall call, long parent, MemorySegment name, int mode, int major, int minor, NodeAttributes into) {
        Node node = make(call, parent, name, mode, new byte[0]);
        node.major = major;
        node.minor = minor;
        fill(node, into);
    }

    @Override
    public synchronized void mkdir(FuseCall call, long parent, MemorySegment name, int mode, NodeAttributes into) {
        fill(make(call, parent, name, NodeAttributes.DIRECTORY | mode, new byte[0]), into);
    }

    @Override
    public synchronized void symlink(
            FuseCall call, long parent, MemorySegment name, MemorySegment target, NodeAttributes into) {
        byte[] bytes = target.toArray(ValueLayout.JAVA_BYTE);
        fill(make(call, parent, name, NodeAttributes.SYMLINK | 0777, bytes), into);
    }

    @Override
    public synchronized void link(FuseCall call, long node, long parent, MemorySegment name, NodeAttributes into) {
        Node directory = directory(parent, name);
        Node linked = node(node);
        if (linked.isDirectory()) {
            throw FuseErrno.EPERM.exception();
        }
        if (directory.find(name) != null) {
            throw FuseErrno.EEXIST.exception();
        }
        directory.add(name.toArray(ValueLayout.JAVA_BYTE), linked);
        directory.changed();
        linked.links++;
        fill(linked, into);
    }

    @Override
    public synchronized void unlink(FuseCall call, long parent, MemorySegment name) {
        Entry entry = existing(parent, name);
        if (entry.child.isDirectory()) {
            throw FuseErrno.EISDIR.exception();
        }
        remove(node(parent), entry);
    }

    @Override
    public synchronized void rmdir(FuseCall call, long parent, MemorySegment name) {
        Entry entry = existing(parent, name);
        if (!entry.child.isDirectory()) {
            throw FuseErrno.ENOTDIR.exception();
        }
        if (entry.child.entryCount != 0) {
            throw FuseErrno.ENOTEMPTY.exception();
        }
        remove(node(parent), entry);
    }

    private Entry existing(long parent, MemorySegment name) {
        Entry entry = directory(parent, name).entry(name);
        if (entry == null) {
            throw FuseErrno.ENOENT.exception();
        }
        if ((entry.child.flags & (FLAG_IMMUTABLE | FLAG_APPEND)) != 0) {
            throw FuseErrno.EPERM.exception();
        }
        return entry;
    }

    private static void remove(Node directory, Entry entry) {
        entry.child.links--;
        entry.child = null;
        directory.entryCount--;
        directory.changed();
    }

    @Override
    public synchronized void rename(
            FuseCall call, long parent, MemorySegment name, long newParent, MemorySegment newName, int flags) {
        Entry from = existing(parent, name);
        Node directory = directory(newParent, newName);
        Entry to = directory.entry(newName);
        if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 || directory == from.child) {
            throw FuseErrno.EINVAL.exception();
        }
        if ((flags & RENAME_NOREPLACE) != 0 && to != null) {
            throw FuseErrno.EEXIST.exception();
        }
        if ((flags & RENAME_EXCHANGE) != 0) {
            Entry other = existing(newParent, newName);
            Node child = from.child;
            from.child = other.child;
            other.child = child;
            return;
        }
        if (to != null && to.child == from.child) {
            return;
        }
        if (to != null && to.child.entryCount != 0) {
            throw FuseErrno.ENOTEMPTY.exception();
        }
        if (to != null) {
            remove(directory, to);
        }
        Node moved = from.child;
        moved.links++;
        remove(node(parent), from);
        moved.parent = directory;
        directory.add(newName.toArray(ValueLayout.JAVA_BYTE), moved);
    }

    @Override
    public synchronized void setattr(FuseCall call, long node, NodeChange change, NodeAttributes into) {
        Node changed = node(node);
        if ((changed.flags & FLAG_IMMUTABLE) != 0) {
            throw FuseErrno.EPERM.exception();
        }
        long nowMicros = System.currentTimeMillis() * 1000;
        if (change.hasSize()) {
            changed.resize(change.size());
            changed.mtimeMicros = nowMicros;
        }
        if (change.dropsSetId()) {
            changed.dropSetId();
        }
        if (change.hasMode()) {
            changed.mode = (changed.mode & NodeAttributes.TYPE_MASK) | change.mode();
        }
        if (change.hasUid()) {
            changed.uid = change.uid();
        }
        if (change.hasGid()) {
            changed.gid = change.gid();
        }
        if (change.hasAtime() || change.isAtimeNow()) {
            changed.atimeMicros = change.isAtimeNow() ? nowMicros : change.atimeMicros();
        }
        if (change.hasMtime() || change.isMtimeNow()) {
            changed.mtimeMicros = change.isMtimeNow() ? nowMicros : change.mtimeMicros();
        }
        changed.ctimeMicros = change.hasCtime() ? change.ctimeMicros() : nowMicros;
        fill(changed, into);
    }

    @Override
    public synchronized int write(FuseCall call, long node, long handle, long offset, MemorySegment from, int flags) {
        Node file = file(node, handle);
        int bytes = (int) from.byteSize();
        largestWrite.accumulateAndGet(bytes, Math::max);
        if (offset > FILE_BYTES_MAX) {
            throw FuseErrno.EFBIG.exception();
        }
        if (offset + bytes > file.sizeBytes) {
            file.resize(offset + bytes);
        }
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, 0, file.data, (int) offset, bytes);
        if ((flags & WRITE_DROP_SETID) != 0) {
            file.dropSetId();
        }
        if ((flags & WRITE_KEEP_TIMES) == 0) {
            file.changed();
        }
        return bytes;
    }

    @Override
    public synchronized void fsync(FuseCall call, long node, boolean dataOnly) {
        if (node(node) != null) {
            syncs.incrementAndGet();
        }
    }

    @Override
    public void syncfs(FuseCall call) {
        syncs.incrementAndGet();
    }

    @Override
    public synchronized void fallocate(FuseCall call, long node, long handle, long offset, long length, int mode) {
        Node file = file(node, handle);
        boolean zero = (mode & (FALLOCATE_PUNCH_HOLE | FALLOCATE_ZERO_RANGE)) != 0;
        if ((mode & ~(FALLOCATE_KEEP_SIZE | FALLOCATE_PUNCH_HOLE | FALLOCATE_ZERO_RANGE)) != 0) {
            throw FuseErrno.ENOTSUP.exception();
        }
        if ((mode & FALLOCATE_KEEP_SIZE) == 0 && offset + length > file.sizeBytes) {
            file.resize(offset + length);
        }
        if (zero && offset < file.sizeBytes) {
            Arrays.fill(file.data, (int) offset, (int) Math.min(offset + length, file.sizeBytes), (byte) 0);
        }
        file.changed();
    }

    @Override
    public synchronized long copyFileRange(
            FuseCall call,
            long node,
            long handle,
            long offset,
            long toNode,
            long toHandle,
            long toOffset,
            long length) {
        Node from = file(node, handle);
        Node to = file(toNode, toHandle);
        int bytes = (int) Math.clamp(from.sizeBytes - offset, 0L, Math.min(length, 1 << 20));
        if (bytes > 0) {
            if (toOffset + bytes > to.sizeBytes) {
                to.resize(toOffset + bytes);
            }
            System.arraycopy(from.data, (int) offset, to.data, (int) toOffset, bytes);
            to.changed();
            copies.incrementAndGet();
        }
        return bytes;
    }

    @Override
    public void statfs(FuseCall call, VolumeStatistics into) {
        into.space(65536, 1000, 500, 400).nodes(5000, 4000).nameBytesMax(255);
    }

    @Override
    public void access(FuseCall call, long node, int mask) {
        if ((mask & ACCESS_WRITE) != 0 && stateless) {
            throw FuseErrno.EROFS.exception();
        }
    }

    @Override
    public synchronized long lseek(FuseCall call, long node, long handle, long offset, int whence) {
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
    public synchronized int ioctl(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command == IOCTL_GET_FLAGS && out.byteSize() == Integer.BYTES) {
            out.set(ValueLayout.JAVA_INT_UNALIGNED, 0, node(node).flags);
            return 0;
        }
        if (command == IOCTL_GET_XFLAGS && out.byteSize() == 28) {
            int flags = node(node).flags;
            int xflags = (flags & FLAG_IMMUTABLE) >>> 1 | (flags & FLAG_APPEND) >>> 1 | (flags & FLAG_NODUMP) << 1;
            out.set(ValueLayout.JAVA_INT_UNALIGNED, 0, xflags);
            return 0;
        }
        if (command == IOCTL_SET_FLAGS && in.byteSize() == Integer.BYTES) {
            node(node).flags = in.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
            return 0;
        }
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
