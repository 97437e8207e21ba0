package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fuse.FuseMountOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class HandshakeTest {
    private static final int INIT_BYTES = 40 + 64;

    private final MemorySegment request = Arena.ofAuto().allocate(256, 8);
    private final MemorySegment reply = Arena.ofAuto().allocate(16 + 64, 8);
    private FuseMountOptions options =
            FuseMountOptions.builder("test").readAheadBytes(3 << 20).build();

    private boolean init(int major, int minor, int flags) throws IOException {
        Wire.putInt(request, Wire.In.OPCODE, Opcode.INIT);
        Wire.putLong(request, Wire.In.UNIQUE, 77);
        Wire.putInt(request, 40, major);
        Wire.putInt(request, 44, minor);
        Wire.putInt(request, 52, flags);
        return Handshake.answer(request, INIT_BYTES, reply, options);
    }

    @Test
    void the_older_minor_version_is_spoken() throws IOException {
        assertTrue(init(7, 31, -1));
        assertEquals(31, Wire.getInt(reply, 20));
        assertTrue(init(7, 45, -1));
        assertEquals(45, Wire.getInt(reply, 20));
        assertTrue(init(7, 60, -1));
        assertEquals(45, Wire.getInt(reply, 20));
        assertEquals(77, Wire.getLong(reply, 8));
        assertEquals(80, Wire.getInt(reply, 0));
    }

    @Test
    void only_offered_options_are_taken_and_sizes_are_told() throws IOException {
        init(7, 40, Wire.InitFlag.MAX_PAGES | Wire.InitFlag.ASYNC_READ | 1 << 16);
        assertEquals(Wire.InitFlag.MAX_PAGES | Wire.InitFlag.ASYNC_READ, Wire.getInt(reply, 16 + 12));
        assertEquals(3 << 20, Wire.getInt(reply, 16 + 8));
        assertEquals(256, reply.get(Wire.SHORT, 16 + 28));
        assertEquals(1000, Wire.getInt(reply, 16 + 24));
        assertTrue(Wire.getInt(reply, 16 + 20) >= 4096);
    }

    @Test
    void a_mount_that_can_be_written_asks_for_more_and_for_large_writes() throws IOException {
        int forWriting =
                Wire.InitFlag.ATOMIC_O_TRUNC | Wire.InitFlag.WRITEBACK_CACHE | Wire.InitFlag.HANDLE_KILLPRIV_V2;
        init(7, 45, -1);
        assertEquals(0, Wire.getInt(reply, 16 + 12) & forWriting);
        options = FuseMountOptions.builder("test").readOnly(false).build();
        init(7, 45, -1);
        int taken = Wire.getInt(reply, 16 + 12);
        assertEquals(forWriting, taken & forWriting);
        assertEquals(0, taken & (1 << 1 | 1 << 6 | 1 << 10), "locks and umask are the kernel's");
        assertEquals(0, taken & 1 << 19, "set-id bits by requests that tell who asks");
        assertEquals(1 << 20, Wire.getInt(reply, 16 + 20));
        assertEquals(256, reply.get(Wire.SHORT, 16 + 28));
    }

    @Test
    void a_newer_major_version_is_asked_to_come_down() throws IOException {
        assertFalse(init(8, 0, -1));
        assertEquals(7, Wire.getInt(reply, 16));
    }

    @Test
    void an_old_kernel_is_told_what_to_do() {
        IOException refused = assertThrows(IOException.class, () -> init(7, 30, 0));
        assertTrue(refused.getMessage().contains("7.30") && refused.getMessage().contains("transport=jnr"));
    }

    @Test
    void anything_but_INIT_is_refused() {
        Wire.putInt(request, Wire.In.OPCODE, Opcode.GETATTR);
        assertThrows(IOException.class, () -> Handshake.answer(request, INIT_BYTES, reply, options));
        Wire.putInt(request, Wire.In.OPCODE, Opcode.INIT);
        assertThrows(IOException.class, () -> Handshake.answer(request, 50, reply, options));
    }
}
