package io.hammer2.fuse.bridge;

import io.hammer2.fuse.FuseCall;
import java.lang.foreign.MemorySegment;

/**
 * Control requests that belong together. Whoever asks for a change ({@link ControlRequests#isChange}) was looked at before, by
 * {@link Ioctls}; a family checks what goes in.
 */
interface RequestFamily {
    /**
     * Answers a request if it is one of the family's. The sizes of {@code in} and {@code out} are those that the number says.
     *
     * @param in what the caller passed, 0 bytes when nothing goes in
     * @param out zeroed, what the caller gets, 0 bytes when nothing comes out
     * @return whether it was
     */
    boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out);
}
