package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.MemoryOperations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Makes up requests byte by byte, for a handler over files in memory. */
abstract class RequestTest {
    static final long UNIQUE = 0x1122334455667788L;

    final List<String> log = new ArrayList<>();
    final MemoryOperations files = new MemoryOperations(false);
    final Slot slot = new Slot(1 << 20, 1 << 20);
    RequestHandler handler = handler(files);

    RequestHandler handler(FuseOperations operations) {
        return handler(operations, true);
    }

    RequestHandler handler(FuseOperations operations, boolean readOnly) {
        return new RequestHandler(
                operations,
                FuseMountOptions.builder("test")
                        .readOnly(readOnly)
                        .valid(Duration.ofMillis(1500), Duration.ofMillis(2500), Duration.ZERO)
                        .log(log::add)
                        .build(),
                null);
    }

    static ByteBuffer body(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    }

    static byte[] bytes(ByteBuffer body) {
        byte[] bytes = new byte[body.capacity()];
        body.get(0, bytes);
        return bytes;
    }

    /** @return bytes of the answer with its header, as told by the handler */
    int send(int opcode, long node, byte[] body) {
        return send(opcode, node, body, Wire.In.BYTES + body.length);
    }

    int send(int opcode, long node, byte[] body, int lenField) {
        slot.end();
        MemorySegment request = slot.request().fill((byte) 0x5a);
        Wire.putInt(request, Wire.In.LEN, lenField);
        Wire.putInt(request, Wire.In.OPCODE, opcode);
        Wire.putLong(request, Wire.In.UNIQUE, UNIQUE);
        Wire.putLong(request, Wire.In.NODE, node);
        Wire.putInt(request, Wire.In.UID, 7);
        Wire.putInt(request, Wire.In.GID, 8);
        Wire.putInt(request, Wire.In.PID, 9);
        MemorySegment.copy(body, 0, request, ValueLayout.JAVA_BYTE, Wire.In.BYTES, body.length);
        int bytes = handler.handle(slot, Wire.In.BYTES + body.length);
        if (bytes != RequestHandler.NO_ANSWER) {
            assertEquals(bytes, Wire.getInt(slot.reply(), Wire.Out.LEN));
            assertEquals(UNIQUE, Wire.getLong(slot.reply(), Wire.Out.UNIQUE));
        }
        return bytes;
    }

    int error() {
        return -Wire.getInt(slot.reply(), Wire.Out.ERROR);
    }

    void assertError(FuseErrno expected, int bytes) {
        assertEquals(Wire.Out.BYTES, bytes, "an error has no answer behind its header");
        assertEquals(expected.linux(), error());
    }

    static byte[] name(String name) {
        return (name + "\0").getBytes(StandardCharsets.UTF_8);
    }

    static byte[] readBody(long handle, long offset, int size) {
        ByteBuffer body = body(Wire.ReadIn.BYTES);
        body.putLong(Wire.ReadIn.HANDLE, handle);
        body.putLong(Wire.ReadIn.OFFSET, offset);
        body.putInt(Wire.ReadIn.SIZE, size);
        return bytes(body);
    }
}
