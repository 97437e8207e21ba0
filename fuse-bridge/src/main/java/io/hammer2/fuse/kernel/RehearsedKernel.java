package io.hammer2.fuse.kernel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * The kernel's side of a connection, played by one thread: each method sends the request that Linux would, and waits for the answer. A
 * node is named by its number, as the server names it; 1 is the root.
 *
 * @see RehearsedTransport
 */
public final class RehearsedKernel {
    /** The most data of one request: a socket takes a message of about 200 KiB. */
    public static final int DATA_BYTES_MAX = 128 << 10;

    public static final long ROOT = 1;

    private static final int O_RDWR = 2;
    private static final int FILE_MODE = 0100644;
    private static final int DIRECTORY_MODE = 0755;
    private static final int BODY = Wire.In.BYTES;
    private static final int ANSWER = Wire.Out.BYTES;

    /** Everything that a server may be asked to agree on: it takes what it knows. */
    private static final int ALL_FLAGS = ~0;

    private final int fd;
    private final int uid = Libc.effectiveUserId();
    private final int gid = Libc.effectiveGroupId();
    private final MemorySegment errno = Arena.ofAuto().allocate(Libc.ERRNO_BYTES, 8);
    private final MemorySegment request = Arena.ofAuto().allocate(DATA_BYTES_MAX + Wire.REQUEST_BYTES_MIN, 8);
    private final MemorySegment reply = Arena.ofAuto().allocate(DATA_BYTES_MAX + Wire.REQUEST_BYTES_MIN, 8);
    private long lastUnique;
    private boolean closed;

    /** @param fd one end of a pair of sockets that keep the bounds of messages; owned from now on */
    RehearsedKernel(int fd) {
        this.fd = fd;
    }

    /** An open file. */
    public record Opened(long node, long handle) {}

    void sendInit() throws IOException {
        putInt(Wire.InitIn.MAJOR, Wire.MAJOR);
        putInt(Wire.InitIn.MINOR, Wire.MINOR_MAX);
        putInt(Wire.InitIn.READ_AHEAD_MAX, DATA_BYTES_MAX);
        putInt(Wire.InitIn.FLAGS, ALL_FLAGS);
        send(Opcode.INIT, 0, Wire.InitIn.BYTES_MIN);
    }

    void receiveInit() throws IOException {
        done(receive());
    }

    /** @return 0 where there is no such name */
    public long lookup(long parent, String name) throws IOException {
        int error = ask(Opcode.LOOKUP, parent, putName(0, name));
        // A node of 0 is a name that is known not to be there.
        return error == -Libc.ENOENT ? 0 : node(error);
    }

    public void getattr(long node) throws IOException {
        Wire.zero(request, BODY, 16);
        done(ask(Opcode.GETATTR, node, 16));
    }

    /** Makes a file and opens it. */
    public Opened create(long parent, String name) throws IOException {
        putInt(Wire.CreateIn.FLAGS, O_RDWR);
        putInt(Wire.CreateIn.MODE, FILE_MODE);
        Wire.putLong(request, BODY + 8, 0);
        long node = node(ask(Opcode.CREATE, parent, putName(Wire.CreateIn.BYTES, name)));
        return new Opened(node, Wire.getLong(reply, (long) ANSWER + Wire.EntryOut.BYTES + Wire.OpenOut.HANDLE));
    }

    public long mkdir(long parent, String name) throws IOException {
        Wire.putLong(request, BODY, 0);
        putInt(Wire.MkdirIn.MODE, DIRECTORY_MODE);
        return node(ask(Opcode.MKDIR, parent, putName(Wire.MkdirIn.BYTES, name)));
    }

    public long symlink(long parent, String name, String target) throws IOException {
        return node(ask(Opcode.SYMLINK, parent, putName(putName(0, name), target)));
    }

    public void readlink(long node) throws IOException {
        done(ask(Opcode.READLINK, node, 0));
    }

    public void link(long node, long parent, String name) throws IOException {
        putLong(Wire.LinkIn.NODE, node);
        done(ask(Opcode.LINK, parent, putName(Wire.LinkIn.BYTES, name)));
    }

    public void rename(long parent, String name, long newParent, String newName) throws IOException {
        putLong(Wire.RenameIn.NEW_PARENT, newParent);
        putLong(Wire.RenameIn.FLAGS, 0);
        done(ask(Opcode.RENAME2, parent, putName(putName(Wire.RenameIn.BYTES_2, name), newName)));
    }

    public void unlink(long parent, String name) throws IOException {
        done(ask(Opcode.UNLINK, parent, putName(0, name)));
    }

    public void rmdir(long parent, String name) throws IOException {
        done(ask(Opcode.RMDIR, parent, putName(0, name)));
    }

    public Opened open(long node) throws IOException {
        putInt(Wire.OpenIn.FLAGS, O_RDWR);
        putInt(Wire.OpenIn.OPEN_FLAGS, 0);
        int error = ask(Opcode.OPEN, node, Wire.OpenIn.BYTES);
        // A server that need not hear of it has no handles.
        if (error == -Libc.ENOSYS) {
            return new Opened(node, 0);
        }
        done(error);
        return new Opened(node, Wire.getLong(reply, (long) ANSWER + Wire.OpenOut.HANDLE));
    }

    public void release(Opened file) throws IOException {
        Wire.zero(request, BODY, Wire.ReleaseIn.BYTES);
        putLong(Wire.ReleaseIn.HANDLE, file.handle);
        putInt(Wire.ReleaseIn.FLAGS, O_RDWR);
        done(ask(Opcode.RELEASE, file.node, Wire.ReleaseIn.BYTES));
    }

    /** @param data up to {@link #DATA_BYTES_MAX} */
    public void write(Opened file, long offset, MemorySegment data) throws IOException {
        int bytes = (int) data.byteSize();
        Wire.zero(request, BODY, Wire.WriteIn.BYTES);
        putLong(Wire.WriteIn.HANDLE, file.handle);
        putLong(Wire.WriteIn.OFFSET, offset);
        putInt(Wire.WriteIn.SIZE, bytes);
        MemorySegment.copy(data, 0, request, (long) BODY + Wire.WriteIn.BYTES, bytes);
        done(ask(Opcode.WRITE, file.node, Wire.WriteIn.BYTES + bytes));
        if (Wire.getInt(reply, ANSWER) != bytes) {
            throw new IOException("a write of " + bytes + " bytes wrote " + Wire.getInt(reply, ANSWER));
        }
    }

    /** @return bytes read; at the end of the file 0 */
    public int read(Opened file, long offset, int bytes) throws IOException {
        Wire.zero(request, BODY, Wire.ReadIn.BYTES);
        putLong(Wire.ReadIn.HANDLE, file.handle);
        putLong(Wire.ReadIn.OFFSET, offset);
        putInt(Wire.ReadIn.SIZE, bytes);
        return done(ask(Opcode.READ, file.node, Wire.ReadIn.BYTES));
    }

    /** What {@link #read} has read, until the next request. */
    public MemorySegment readData(int bytes) {
        return reply.asSlice(ANSWER, bytes).asReadOnly();
    }

    /** Reads a directory to its end, with attributes. @return the bytes of its records */
    public long list(long directory) throws IOException {
        long bytes = 0;
        long cookie = 0;
        while (true) {
            Wire.zero(request, BODY, Wire.ReadIn.BYTES);
            putLong(Wire.ReadIn.OFFSET, cookie);
            putInt(Wire.ReadIn.SIZE, 4096);
            int got = done(ask(Opcode.READDIRPLUS, directory, Wire.ReadIn.BYTES));
            if (got == 0) {
                return bytes;
            }
            bytes += got;
            for (int record = 0; record < got; ) {
                long entry = (long) ANSWER + record + Wire.EntryOut.BYTES;
                cookie = Wire.getLong(reply, entry + Wire.Dirent.OFF);
                int nameBytes = Wire.getInt(reply, entry + Wire.Dirent.NAME_BYTES);
                record += Wire.align8(Wire.EntryOut.BYTES + Wire.Dirent.NAME + nameBytes);
            }
        }
    }

    /** The times of a file, as a kernel that caches writes sends them when the file is closed. */
    public void setTimes(long node, long seconds) throws IOException {
        Wire.zero(request, BODY, Wire.SetattrIn.BYTES);
        putInt(Wire.SetattrIn.VALID, Wire.SetattrIn.HAS_MTIME | Wire.SetattrIn.HAS_CTIME);
        putLong(Wire.SetattrIn.MTIME, seconds);
        putLong(Wire.SetattrIn.CTIME, seconds);
        done(ask(Opcode.SETATTR, node, Wire.SetattrIn.BYTES));
    }

    public void setMode(long node, int mode) throws IOException {
        Wire.zero(request, BODY, Wire.SetattrIn.BYTES);
        putInt(Wire.SetattrIn.VALID, Wire.SetattrIn.HAS_MODE | Wire.SetattrIn.HAS_UID | Wire.SetattrIn.HAS_GID);
        putInt(Wire.SetattrIn.MODE, mode);
        done(ask(Opcode.SETATTR, node, Wire.SetattrIn.BYTES));
    }

    public void truncate(long node, long bytes) throws IOException {
        Wire.zero(request, BODY, Wire.SetattrIn.BYTES);
        putInt(Wire.SetattrIn.VALID, Wire.SetattrIn.HAS_SIZE);
        putLong(Wire.SetattrIn.SIZE, bytes);
        done(ask(Opcode.SETATTR, node, Wire.SetattrIn.BYTES));
    }

    public void fsync(Opened file) throws IOException {
        Wire.zero(request, BODY, Wire.FsyncIn.BYTES);
        putLong(0, file.handle);
        done(ask(Opcode.FSYNC, file.node, Wire.FsyncIn.BYTES));
    }

    public void statfs() throws IOException {
        done(ask(Opcode.STATFS, ROOT, 0));
    }

    /** @param structure goes in, and is replaced by what comes out */
    public void ioctl(long node, int command, MemorySegment structure) throws IOException {
        int bytes = (int) structure.byteSize();
        Wire.zero(request, BODY, Wire.IoctlIn.BYTES);
        putInt(Wire.IoctlIn.COMMAND, command);
        putInt(Wire.IoctlIn.IN_SIZE, bytes);
        putInt(Wire.IoctlIn.OUT_SIZE, bytes);
        MemorySegment.copy(structure, 0, request, (long) BODY + Wire.IoctlIn.BYTES, bytes);
        done(ask(Opcode.IOCTL, node, Wire.IoctlIn.BYTES + bytes));
        MemorySegment.copy(reply, (long) ANSWER + Wire.IoctlOut.BYTES, structure, 0, bytes);
    }

    /** Has no answer. */
    public void forget(long node) throws IOException {
        putLong(Wire.Forget.LOOKUPS, 1);
        send(Opcode.FORGET, node, Wire.Forget.BYTES);
    }

    void close() {
        if (!closed) {
            closed = true;
            Libc.close(fd);
        }
    }

    private void putInt(int at, int value) {
        Wire.putInt(request, (long) BODY + at, value);
    }

    private void putLong(int at, long value) {
        Wire.putLong(request, (long) BODY + at, value);
    }

    /** @return where the body goes on behind its zero */
    private int putName(int at, String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        MemorySegment.copy(bytes, 0, request, ValueLayout.JAVA_BYTE, (long) BODY + at, bytes.length);
        request.set(ValueLayout.JAVA_BYTE, (long) BODY + at + bytes.length, (byte) 0);
        return at + bytes.length + 1;
    }

    private void send(int opcode, long node, int body) throws IOException {
        long bytes = (long) BODY + body;
        Wire.zero(request, 0, BODY);
        Wire.putInt(request, Wire.In.LEN, (int) bytes);
        Wire.putInt(request, Wire.In.OPCODE, opcode);
        lastUnique += 2;
        Wire.putLong(request, Wire.In.UNIQUE, lastUnique);
        Wire.putLong(request, Wire.In.NODE, node);
        Wire.putInt(request, Wire.In.UID, uid);
        Wire.putInt(request, Wire.In.GID, gid);
        long sent = Libc.write(errno, fd, request, bytes);
        if (sent != bytes) {
            throw new IOException("request " + opcode + " cannot be sent: " + Libc.describe(sent));
        }
    }

    /** @return bytes of the answer, or the negated errno that it is */
    private int ask(int opcode, long node, int body) throws IOException {
        send(opcode, node, body);
        return receive();
    }

    private int receive() throws IOException {
        while (true) {
            long bytes = Libc.read(errno, fd, reply, reply.byteSize());
            if (bytes < ANSWER) {
                throw new IOException("the server has ended the connection");
            }
            // What has no number is a notification.
            if (Wire.getLong(reply, Wire.Out.UNIQUE) == lastUnique) {
                int error = Wire.getInt(reply, Wire.Out.ERROR);
                return error == 0 ? (int) bytes - ANSWER : error;
            }
        }
    }

    private static int done(int answer) throws IOException {
        if (answer < 0) {
            throw new IOException(Libc.describe(answer));
        }
        return answer;
    }

    private long node(int answer) throws IOException {
        done(answer);
        return Wire.getLong(reply, (long) ANSWER + Wire.EntryOut.NODE);
    }
}
