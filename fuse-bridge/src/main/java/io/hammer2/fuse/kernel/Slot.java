package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.NodeChange;
import io.hammer2.fuse.VolumeStatistics;
import java.lang.foreign.MemorySegment;

/**
 * Everything one request needs from its reading to its answer, off the heap and reused, so that a request costs no allocation.
 * It belongs to one cpu for life; a request that blocks keeps its slot.
 *
 * <pre>
 *   0                64 KiB              68 KiB - 16   68 KiB                 68 KiB + data
 *   | request          | (unused)          | out header  | answer, page aligned  |
 *   | request with file data, which reaches into the answer  ...     |
 * </pre>
 *
 * Only a WRITE is longer than 64 KiB. Its answer is written when its data is no longer needed, so both share the room: most of
 * what a slot takes up is touched by reads and writes alike.
 */
final class Slot implements FuseCall {
    /** More than the largest request without file data: an ioctl with 16 KiB, a name of 4 KiB, many forgets. */
    static final int REQUEST_BYTES = 64 << 10;

    /** Where the data of a WRITE begins. */
    static final int WRITE_DATA = Wire.In.BYTES + Wire.WriteIn.BYTES;

    private static final int PAGE = 4096;
    private static final int ANSWER = REQUEST_BYTES + PAGE;
    private static final int NAME_SLICES = 256;

    /** A slot is free, in work, or in work although its caller has got its answer (EINTR). */
    enum State {
        FREE,
        IN_WORK,
        ABANDONED
    }

    private final MemorySegment request;
    private final MemorySegment reply;
    private final MemorySegment answer;
    private final NodeAttributes attributes = new NodeAttributes();
    private final VolumeStatistics statistics = new VolumeStatistics();
    private final DirectoryWriter directory;
    /** Views of names right after the header, by length, and of answers by pages: made once each. */
    private final MemorySegment[] names = new MemorySegment[NAME_SLICES];

    private final MemorySegment[] answers;
    /** Views of a WRITE's data, by pages. */
    private final MemorySegment[] written;

    private final NodeChange change = new NodeChange();

    private State state = State.FREE;
    private int opcode;
    private long unique;
    private long node;
    private int uid;
    private int gid;
    private int pid;

    /**
     * @param answerBytesMax the largest answer, a multiple of a page
     * @param writeBytesMax the most data of a WRITE, a multiple of a page
     */
    Slot(int answerBytesMax, int writeBytesMax) {
        int requestBytes = requestBytes(writeBytesMax);
        MemorySegment pages = Libc.mapPages(Math.max((long) ANSWER + answerBytesMax, requestBytes));
        this.request = pages.asSlice(0, requestBytes);
        this.reply = pages.asSlice(ANSWER - Wire.Out.BYTES, (long) Wire.Out.BYTES + answerBytesMax);
        this.answer = pages.asSlice(ANSWER, answerBytesMax);
        this.answers = new MemorySegment[answerBytesMax / PAGE + 1];
        this.written = new MemorySegment[writeBytesMax / PAGE + 1];
        this.directory = new DirectoryWriter(answer);
    }

    /** Room for a request: the kernel reads into nothing that its largest could not fit in. */
    static int requestBytes(int writeBytesMax) {
        return Math.max(REQUEST_BYTES, writeBytesMax + Wire.REQUEST_BYTES_MIN);
    }

    /** Where a request is read into. */
    MemorySegment request() {
        return request;
    }

    /** Header and answer as they are written to the kernel. */
    MemorySegment reply() {
        return reply;
    }

    /** The answer behind its header. */
    MemorySegment answer() {
        return answer;
    }

    /** The first {@code bytes} of the answer. */
    MemorySegment answer(int bytes) {
        if (bytes % PAGE != 0) {
            return answer.asSlice(0, bytes);
        }
        MemorySegment view = answers[bytes / PAGE];
        if (view == null) {
            view = answer.asSlice(0, bytes);
            answers[bytes / PAGE] = view;
        }
        return view;
    }

    /** A name of {@code bytes} that follows the request's header. */
    MemorySegment nameAfterHeader(int bytes) {
        if (bytes >= NAME_SLICES) {
            return request.asSlice(Wire.In.BYTES, bytes);
        }
        MemorySegment view = names[bytes];
        if (view == null) {
            view = request.asSlice(Wire.In.BYTES, bytes);
            names[bytes] = view;
        }
        return view;
    }

    /** The data of a WRITE of {@code bytes}. */
    MemorySegment writeData(int bytes) {
        if (bytes % PAGE != 0 || bytes / PAGE >= written.length) {
            return request.asSlice(WRITE_DATA, bytes);
        }
        MemorySegment view = written[bytes / PAGE];
        if (view == null) {
            view = request.asSlice(WRITE_DATA, bytes);
            written[bytes / PAGE] = view;
        }
        return view;
    }

    NodeChange change() {
        return change;
    }

    NodeAttributes attributes() {
        return attributes;
    }

    VolumeStatistics statistics() {
        return statistics;
    }

    DirectoryWriter directory() {
        return directory;
    }

    /** Takes over what the header says. */
    void begin() {
        opcode = Wire.getInt(request, Wire.In.OPCODE);
        unique = Wire.getLong(request, Wire.In.UNIQUE);
        node = Wire.getLong(request, Wire.In.NODE);
        uid = Wire.getInt(request, Wire.In.UID);
        gid = Wire.getInt(request, Wire.In.GID);
        pid = Wire.getInt(request, Wire.In.PID);
        state = State.IN_WORK;
    }

    /** @return whether nobody has answered the request yet */
    boolean end() {
        boolean answerable = state == State.IN_WORK;
        state = State.FREE;
        return answerable;
    }

    /** The caller gets EINTR now; what the handler answers later is dropped. */
    void abandon() {
        state = State.ABANDONED;
    }

    /** Whether this request is in work here and {@link Opcode#mayBeAbandoned}. */
    boolean mayAbandon(long uniqueAsked) {
        return state == State.IN_WORK && unique == uniqueAsked && Opcode.mayBeAbandoned(opcode);
    }

    int opcode() {
        return opcode;
    }

    long unique() {
        return unique;
    }

    long node() {
        return node;
    }

    @Override
    public int uid() {
        return uid;
    }

    @Override
    public int gid() {
        return gid;
    }

    @Override
    public int pid() {
        return pid;
    }

    /** As {@link Handshake} asks for where anything can be modified. */
    @Override
    public boolean keepsTimes() {
        return true;
    }

    @Override
    public boolean interrupted() {
        return state == State.ABANDONED;
    }
}
