package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseException;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.NodeAttributes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One request from its bytes to the bytes of its answer: decode, call the operation, encode. It has no state of its own besides
 * what the mount was made with, so all cpus share one.
 *
 * <p>Whatever a request holds, it ends in an answer: too short or senseless is EIO, what modifies a read-only mount is EROFS,
 * what is unknown is ENOSYS (after which the kernel stops asking), and an exception of the file system's is reported and EIO.
 */
final class RequestHandler {
    /** {@link #handle}: the kernel expects nothing. */
    static final int NO_ANSWER = 0;

    private static final int REPORTS_MAX = 100;
    private static final int NAME_BYTES_MAX = 4095;

    /** S_ISUID and S_ISGID. */
    private static final int SET_ID = 06000;

    private final FuseOperations operations;
    private final FuseMountOptions options;
    private final Answers answers;
    /** Opens are not answered at all: the kernel then opens without asking, and caches as KEEP_CACHE and CACHE_DIR say. */
    private final boolean opensUnanswered;

    private final boolean opendirsUnanswered;
    private final Modifications modifications;
    private final OpenWriters writers = new OpenWriters();
    private final KernelCache kernelCache;
    private final int openFlags;
    private final int openDirectoryFlags;
    /** Shared by the cpus without order: a bound on log lines needs to be no more exact than that. */
    private int reports;

    /** @param kernelCache of what the kernel caches; not used for a read-only mount */
    RequestHandler(FuseOperations operations, FuseMountOptions options, KernelCache kernelCache) {
        this.kernelCache = kernelCache;
        this.operations = operations;
        this.options = options;
        this.answers = new Answers(options);
        this.opensUnanswered = operations.opensAreStateless() && options.keepCache();
        this.opendirsUnanswered = operations.opendirsAreStateless() && options.keepCache();
        this.modifications = new Modifications(operations, answers, writers, kernelCache, openFlags(options));
        this.openFlags = openFlags(options);
        this.openDirectoryFlags = options.keepCache() ? Wire.OpenOut.KEEP_CACHE | Wire.OpenOut.CACHE_DIR : 0;
    }

    private static int openFlags(FuseMountOptions options) {
        return options.keepCache() ? Wire.OpenOut.KEEP_CACHE : 0;
    }

    /**
     * Works on the request in the slot, and may block in it.
     *
     * @param bytes read from the kernel
     * @return bytes of header and answer to write back, or {@link #NO_ANSWER}
     */
    int handle(Slot slot, long bytes) {
        if (bytes < Wire.In.BYTES) {
            return NO_ANSWER; // without a header there is nothing to answer to
        }
        slot.begin();
        if (!Opcode.hasReply(slot.opcode())) {
            handleForget(slot, bytes);
            return NO_ANSWER;
        }
        try {
            if (Integer.toUnsignedLong(Wire.getInt(slot.request(), Wire.In.LEN)) != bytes) {
                return error(slot, FuseErrno.EIO);
            }
            return answered(slot, dispatch(slot, (int) bytes - Wire.In.BYTES));
        } catch (FuseException e) {
            return error(slot, e.errno());
        } catch (Exception | AssertionError | LinkageError | VirtualMachineError e) {
            // Any other error is the runtime's, which unwinds this thread because it ends.
            report(slot, e);
            return error(slot, FuseErrno.EIO);
        }
    }

    private void handleForget(Slot slot, long bytes) {
        try {
            int body = (int) bytes - Wire.In.BYTES;
            switch (slot.opcode()) {
                case Opcode.FORGET -> forget(slot, body);
                case Opcode.BATCH_FORGET -> forgetBatch(slot, body);
                default -> {} // INTERRUPT is the channel's, a NOTIFY_REPLY was never asked for
            }
        } catch (Exception | AssertionError | LinkageError | VirtualMachineError e) {
            report(slot, e);
        }
    }

    /** @return bytes of the answer without its header */
    private int dispatch(Slot slot, int body) {
        return switch (slot.opcode()) {
            case Opcode.LOOKUP -> lookup(slot, body);
            case Opcode.GETATTR -> getattr(slot);
            case Opcode.STATX -> statx(slot, body);
            case Opcode.READLINK -> operations.readlink(slot, slot.node(), slot.answer(4096));
            case Opcode.OPEN -> open(slot, body);
            case Opcode.READ -> read(slot, body);
            case Opcode.RELEASE -> release(slot, body);
            case Opcode.OPENDIR -> openDirectory(slot, body);
            case Opcode.READDIR -> readDirectory(slot, body);
            case Opcode.READDIRPLUS -> readDirectoryPlus(slot, body);
            case Opcode.RELEASEDIR -> releaseDirectory(slot, body);
            case Opcode.STATFS -> {
                operations.statfs(slot, slot.statistics());
                yield Answers.statfs(slot.answer(), slot.statistics());
            }
            case Opcode.ACCESS -> access(slot, body);
            case Opcode.LSEEK -> seek(slot, body);
            case Opcode.IOCTL -> ioctl(slot, body);
            case Opcode.SYNCFS, Opcode.DESTROY -> {
                operations.syncfs(slot);
                yield 0;
            }
            // GETXATTR and its like too: the kernel then answers EOPNOTSUPP itself. FLUSH: it then says 0 itself.
            default -> modify(slot, body);
        };
    }

    private int modify(Slot slot, int body) {
        if (options.readOnly()) {
            throw (Opcode.modifies(slot.opcode()) ? FuseErrno.EROFS : FuseErrno.ENOSYS).exception();
        }
        return modifications.dispatch(slot, body);
    }

    static void require(boolean wellFormed) {
        if (!wellFormed) {
            throw FuseErrno.EIO.exception();
        }
    }

    /**
     * Bytes of the name that begins at {@code from} in the request and ends with a zero before {@code end}. The kernel sends
     * none that is empty or longer than a path.
     */
    static int nameBytes(MemorySegment request, int from, int end) {
        int at = from;
        while (at < end && request.get(ValueLayout.JAVA_BYTE, at) != 0) {
            at++;
        }
        require(at > from && at < end && at - from <= NAME_BYTES_MAX);
        return at - from;
    }

    private int lookup(Slot slot, int body) {
        int nameBytes = nameBytes(slot.request(), Wire.In.BYTES, Wire.In.BYTES + body);
        require(nameBytes == body - 1);
        NodeAttributes found = slot.attributes();
        if (operations.lookup(slot, slot.node(), slot.nameAfterHeader(nameBytes), found)) {
            return answers.entry(slot.answer(), 0, found);
        }
        if (!answers.remembersNegatives()) {
            throw FuseErrno.ENOENT.exception();
        }
        return answers.negativeEntry(slot.answer());
    }

    private void forget(Slot slot, int body) {
        if (body >= Wire.Forget.BYTES) {
            operations.forget(slot.node(), Wire.getLong(slot.request(), Wire.In.BYTES + Wire.Forget.LOOKUPS));
        }
    }

    private void forgetBatch(Slot slot, int body) {
        if (body < Wire.Forget.BATCH_BYTES) {
            return;
        }
        MemorySegment request = slot.request();
        long count = Integer.toUnsignedLong(Wire.getInt(request, Wire.In.BYTES + Wire.Forget.BATCH_COUNT));
        long records = Math.min(count, (body - Wire.Forget.BATCH_BYTES) / Wire.Forget.RECORD_BYTES);
        long at = Wire.In.BYTES + Wire.Forget.BATCH_BYTES;
        for (long i = 0; i < records; i++, at += Wire.Forget.RECORD_BYTES) {
            operations.forget(
                    Wire.getLong(request, at + Wire.Forget.RECORD_NODE),
                    Wire.getLong(request, at + Wire.Forget.RECORD_LOOKUPS));
        }
    }

    private int getattr(Slot slot) {
        operations.getattr(slot, slot.node(), slot.attributes());
        return answers.attributes(slot.answer(), slot.attributes());
    }

    /**
     * Whether what an unprivileged caller is about to write takes set-id bits away. The kernel leaves that to the server and would show, and
     * honour in execve(2), the bits that it remembers: it has to be told.
     */
    static boolean hasSetId(FuseOperations operations, Slot slot) {
        operations.getattr(slot, slot.node(), slot.attributes());
        return (slot.attributes().mode() & SET_ID) != 0;
    }

    private int statx(Slot slot, int body) {
        require(body >= Wire.StatxIn.BYTES);
        operations.getattr(slot, slot.node(), slot.attributes());
        return answers.statx(slot.answer(), slot.attributes());
    }

    private int open(Slot slot, int body) {
        require(body >= Wire.OpenIn.BYTES);
        if (opensUnanswered) {
            throw FuseErrno.ENOSYS.exception();
        }
        int flags = openFlags(slot.request(), Wire.OpenIn.FLAGS, Wire.OpenIn.OPEN_FLAGS);
        boolean losesSetId = (flags & FuseOperations.OPEN_DROP_SETID) != 0 && hasSetId(operations, slot);
        long handle = operations.open(slot, slot.node(), flags);
        if (losesSetId) {
            kernelCache.forgetAttributes(slot.node());
        }
        writers.opened(slot.node(), flags);
        return opened(slot, 0, handle, operations.isCacheable(slot.node()) ? openFlags : 0);
    }

    /** As {@link FuseOperations#open} wants them. */
    static int openFlags(MemorySegment request, int flagsAt, int openFlagsAt) {
        int flags = Wire.getInt(request, Wire.In.BYTES + flagsAt) & ~FuseOperations.OPEN_DROP_SETID;
        boolean drop = (Wire.getInt(request, Wire.In.BYTES + openFlagsAt) & Wire.OpenIn.KILL_SUIDGID) != 0;
        return drop ? flags | FuseOperations.OPEN_DROP_SETID : flags;
    }

    private int openDirectory(Slot slot, int body) {
        require(body >= Wire.OpenIn.BYTES);
        if (opendirsUnanswered) {
            throw FuseErrno.ENOSYS.exception();
        }
        int flags = operations.isCacheable(slot.node()) ? openDirectoryFlags : 0;
        return opened(slot, 0, operations.opendir(slot, slot.node()), flags);
    }

    /** @return bytes of the answer, {@code at} included */
    static int opened(Slot slot, int at, long handle, int flags) {
        Wire.putLong(slot.answer(), at + Wire.OpenOut.HANDLE, handle);
        Wire.putLong(slot.answer(), at + Wire.OpenOut.FLAGS, flags);
        return at + Wire.OpenOut.BYTES;
    }

    private int read(Slot slot, int body) {
        require(body >= Wire.ReadIn.BYTES);
        MemorySegment request = slot.request();
        long handle = Wire.getLong(request, Wire.In.BYTES + Wire.ReadIn.HANDLE);
        long offset = Wire.getLong(request, Wire.In.BYTES + Wire.ReadIn.OFFSET);
        int size = Wire.getInt(request, Wire.In.BYTES + Wire.ReadIn.SIZE);
        // More than was agreed on is refused: a short answer would mean the end of the file.
        require(size >= 0 && size <= slot.answer().byteSize() && offset >= 0);
        int read = operations.read(slot, slot.node(), handle, offset, slot.answer(size));
        if (read < 0 || read > size) {
            throw new IllegalStateException("a read of " + size + " bytes gave " + read);
        }
        return read;
    }

    private int release(Slot slot, int body) {
        require(body >= Wire.ReleaseIn.BYTES);
        writers.released(slot.node(), Wire.getInt(slot.request(), Wire.In.BYTES + Wire.ReleaseIn.FLAGS));
        operations.release(slot.node(), Wire.getLong(slot.request(), Wire.In.BYTES + Wire.ReleaseIn.HANDLE));
        return 0;
    }

    private int releaseDirectory(Slot slot, int body) {
        require(body >= Wire.ReleaseIn.BYTES);
        operations.releasedir(slot.node(), Wire.getLong(slot.request(), Wire.In.BYTES + Wire.ReleaseIn.HANDLE));
        return 0;
    }

    private int readDirectory(Slot slot, int body) {
        return listed(slot, body, false);
    }

    private int readDirectoryPlus(Slot slot, int body) {
        int bytes = listed(slot, body, true);
        DirectoryWriter records = slot.directory();
        for (int record = 0; record < bytes; record = records.next(record)) {
            long node = records.node(record);
            if (node != 0) {
                addAttributes(slot, record, node);
            }
        }
        return bytes;
    }

    private int listed(Slot slot, int body, boolean plus) {
        require(body >= Wire.ReadIn.BYTES);
        MemorySegment request = slot.request();
        long handle = Wire.getLong(request, Wire.In.BYTES + Wire.ReadIn.HANDLE);
        long cookie = Wire.getLong(request, Wire.In.BYTES + Wire.ReadIn.OFFSET);
        int size = Wire.getInt(request, Wire.In.BYTES + Wire.ReadIn.SIZE);
        require(size >= 0);
        int capacity = (int) Math.min(size, slot.answer().byteSize());
        operations.readdir(slot, slot.node(), handle, cookie, slot.directory().begin(capacity, plus));
        return slot.directory().bytes();
    }

    /** What cannot be read of one child must not hide the others: the record then stays without attributes. */
    private void addAttributes(Slot slot, int record, long node) {
        try {
            operations.getattr(slot, node, slot.attributes());
        } catch (FuseException e) {
            return;
        }
        answers.entry(slot.answer(), record, slot.attributes());
    }

    private int access(Slot slot, int body) {
        require(body >= Wire.AccessIn.BYTES);
        operations.access(slot, slot.node(), Wire.getInt(slot.request(), Wire.In.BYTES + Wire.AccessIn.MASK));
        return 0;
    }

    private int seek(Slot slot, int body) {
        require(body >= Wire.LseekIn.BYTES);
        MemorySegment request = slot.request();
        long handle = Wire.getLong(request, Wire.In.BYTES + Wire.LseekIn.HANDLE);
        long offset = Wire.getLong(request, Wire.In.BYTES + Wire.LseekIn.OFFSET);
        int whence = Wire.getInt(request, Wire.In.BYTES + Wire.LseekIn.WHENCE);
        if (whence != FuseOperations.SEEK_DATA && whence != FuseOperations.SEEK_HOLE) {
            throw FuseErrno.EINVAL.exception();
        }
        // Linux asks without having written what it caches, and data in there must not be shown as a hole, or a copy
        // lacks it.
        // Who is told that this file system cannot say where data is reads all of the file.
        boolean known =
                options.readOnly() || !writers.mayHave(slot.node()) || kernelCache.writeBack(slot.node(), offset);
        if (!known) {
            throw FuseErrno.EINVAL.exception();
        }
        Wire.putLong(slot.answer(), 0, operations.lseek(slot, slot.node(), handle, offset, whence));
        return Long.BYTES;
    }

    private int ioctl(Slot slot, int body) {
        require(body >= Wire.IoctlIn.BYTES);
        MemorySegment request = slot.request();
        int command = Wire.getInt(request, Wire.In.BYTES + Wire.IoctlIn.COMMAND);
        int inBytes = Wire.getInt(request, Wire.In.BYTES + Wire.IoctlIn.IN_SIZE);
        int outBytes = Wire.getInt(request, Wire.In.BYTES + Wire.IoctlIn.OUT_SIZE);
        require(inBytes >= 0 && inBytes <= body - Wire.IoctlIn.BYTES);
        require(outBytes >= 0 && outBytes <= slot.answer().byteSize() - Wire.IoctlOut.BYTES);
        MemorySegment in = request.asSlice(Wire.In.BYTES + Wire.IoctlIn.BYTES, inBytes);
        MemorySegment out = slot.answer().asSlice(Wire.IoctlOut.BYTES, outBytes).fill((byte) 0);
        int result = operations.ioctl(slot, slot.node(), command, in, out);
        Wire.zero(slot.answer(), 0, Wire.IoctlOut.BYTES);
        Wire.putInt(slot.answer(), Wire.IoctlOut.RESULT, result);
        return Wire.IoctlOut.BYTES + outBytes;
    }

    private static int answered(Slot slot, int answerBytes) {
        return header(slot, answerBytes, 0);
    }

    private static int error(Slot slot, FuseErrno errno) {
        return header(slot, 0, -errno.linux());
    }

    private static int header(Slot slot, int answerBytes, int error) {
        int bytes = Wire.Out.BYTES + answerBytes;
        Wire.putInt(slot.reply(), Wire.Out.LEN, bytes);
        Wire.putInt(slot.reply(), Wire.Out.ERROR, error);
        Wire.putLong(slot.reply(), Wire.Out.UNIQUE, slot.unique());
        return bytes;
    }

    private void report(Slot slot, Throwable t) {
        if (reports < REPORTS_MAX) {
            reports++;
            StackTraceElement[] stack = t.getStackTrace();
            options.log()
                    .accept("fuse: request " + slot.opcode() + " on node " + slot.node() + " failed inside: " + t
                            + (stack.length > 0 ? " at " + stack[0] : ""));
        }
    }
}
