package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.MemoryOperations;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.Overridden;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Requests made up byte by byte, and what is answered to them. */
class RequestHandlerTest extends RequestTest {
    @Test
    void a_lookup_answers_the_entry_with_its_attributes_and_times_of_validity() {
        long id = files.file(1, "name", new byte[1000]);
        assertEquals(Wire.Out.BYTES + Wire.EntryOut.BYTES, send(Opcode.LOOKUP, 1, name("name")));
        MemorySegment out = slot.answer();
        assertEquals(0, error());
        assertEquals(id, Wire.getLong(out, 0));
        assertEquals(0, Wire.getLong(out, 8));
        assertEquals(2, Wire.getLong(out, 16));
        assertEquals(1, Wire.getLong(out, 24));
        assertEquals(500_000_000, Wire.getInt(out, 32));
        assertEquals(500_000_000, Wire.getInt(out, 36));
        assertEquals(id, Wire.getLong(out, 40));
        assertEquals(1000, Wire.getLong(out, 48));
        assertEquals(2, Wire.getLong(out, 56));
        assertEquals(MemoryOperations.TIME_MICROS / 1_000_000, Wire.getLong(out, 64));
        assertEquals(123_456_000, Wire.getInt(out, 40 + 48));
        assertEquals(123_457_000, Wire.getInt(out, 40 + 52));
        assertEquals(123_458_000, Wire.getInt(out, 40 + 56));
        assertEquals(NodeAttributes.REGULAR | 0644, Wire.getInt(out, 40 + 60));
        assertEquals(1, Wire.getInt(out, 40 + 64));
        assertEquals(1000, Wire.getInt(out, 40 + 68));
        assertEquals(1001, Wire.getInt(out, 40 + 72));
        assertEquals(4096, Wire.getInt(out, 40 + 80));
        assertEquals(0, Wire.getInt(out, 40 + 84));
    }

    @Test
    void a_missing_name_is_ENOENT_unless_the_kernel_may_remember_it() {
        assertError(FuseErrno.ENOENT, send(Opcode.LOOKUP, 1, name("none")));
        handler = new RequestHandler(files, FuseMountOptions.builder("test").build(), null);
        assertEquals(Wire.Out.BYTES + Wire.EntryOut.BYTES, send(Opcode.LOOKUP, 1, name("none")));
        assertEquals(0, error());
        assertEquals(0, Wire.getLong(slot.answer(), Wire.EntryOut.NODE));
        assertEquals(FuseMountOptions.FOREVER.toSeconds(), Wire.getLong(slot.answer(), Wire.EntryOut.ENTRY_VALID));
    }

    @Test
    void a_device_number_is_encoded_as_the_kernel_does() {
        files.device(1, "dev", NodeAttributes.BLOCK_DEVICE | 0600, 0x0102_1234);
        send(Opcode.LOOKUP, 1, name("dev"));
        // major 0x102, minor 0x1234: minor's low byte, then major, then the rest of minor
        assertEquals(0x34 | 0x102 << 8 | 0x1200 << 12, Wire.getInt(slot.answer(), 40 + 76));
    }

    @Test
    void statx_shows_the_birth_time_and_the_flags_of_the_inode() {
        long id = files.file(1, "sealed", NodeAttributes.REGULAR | 0444, new byte[3]);
        assertEquals(Wire.Out.BYTES + 288, send(Opcode.STATX, id, new byte[Wire.StatxIn.BYTES]));
        MemorySegment out = slot.answer();
        assertEquals(0xfff, Wire.getInt(out, 32));
        assertEquals(0x10, Wire.getLong(out, 32 + 8));
        assertEquals(0x70, Wire.getLong(out, 32 + 56));
        assertEquals((short) (NodeAttributes.REGULAR | 0444), out.get(Wire.SHORT, 32 + 28));
        assertEquals(3, Wire.getLong(out, 32 + 40));
        assertEquals(MemoryOperations.BIRTH_MICROS / 1_000_000, Wire.getLong(out, 32 + 80));
        assertEquals(654_321_000, Wire.getInt(out, 32 + 88));
    }

    @Test
    void times_before_1970_are_rounded_down() {
        handler = handler(new Overridden(files) {
            @Override
            public void getattr(FuseCall call, long node, NodeAttributes into) {
                super.getattr(call, node, into);
                into.times(-1, -1_000_000, -1_000_001);
            }
        });
        send(Opcode.GETATTR, 1, new byte[16]);
        MemorySegment out = slot.answer();
        assertEquals(-1, Wire.getLong(out, 16 + 24));
        assertEquals(999_999_000, Wire.getInt(out, 16 + 48));
        assertEquals(-1, Wire.getLong(out, 16 + 32));
        assertEquals(0, Wire.getInt(out, 16 + 52));
        assertEquals(-2, Wire.getLong(out, 16 + 40));
    }

    @Test
    void a_read_answers_the_bytes_and_is_short_only_at_the_end() {
        byte[] data = MemoryOperations.pattern(10_000);
        long id = files.file(1, "f", data);
        assertEquals(Wire.Out.BYTES + 4096, send(Opcode.READ, id, readBody(id + 1000, 4096, 4096)));
        assertEquals(-1, mismatch(data, 4096, 4096));
        assertEquals(Wire.Out.BYTES + 1808, send(Opcode.READ, id, readBody(id + 1000, 8192, 4096)));
        assertEquals(-1, mismatch(data, 8192, 1808));
        assertEquals(Wire.Out.BYTES, send(Opcode.READ, id, readBody(id + 1000, 20_000, 4096)));
        assertEquals(0, error());
    }

    private int mismatch(byte[] data, int from, int bytes) {
        byte[] got = slot.answer().asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
        return Arrays.mismatch(got, Arrays.copyOfRange(data, from, from + bytes));
    }

    @Test
    void a_read_larger_than_agreed_or_at_a_negative_offset_is_refused() {
        long id = files.file(1, "f", new byte[10]);
        assertError(FuseErrno.EIO, send(Opcode.READ, id, readBody(id + 1000, 0, (1 << 20) + 1)));
        assertError(FuseErrno.EIO, send(Opcode.READ, id, readBody(id + 1000, 0, -1)));
        assertError(FuseErrno.EIO, send(Opcode.READ, id, readBody(id + 1000, -5, 100)));
    }

    @Test
    void a_directory_is_listed_in_pieces_whose_cookies_join_without_gap_or_repeat() {
        long dir = files.directory(1, "d");
        files.fillDirectory(dir, 500);
        List<String> names = new ArrayList<>();
        long cookie = 0;
        int pieces = 0;
        while (true) {
            int bytes = send(Opcode.READDIR, dir, readBody(dir + 2000, cookie, 512)) - Wire.Out.BYTES;
            if (bytes == 0) {
                break;
            }
            assertTrue(bytes <= 512);
            pieces++;
            for (int at = 0; at < bytes; ) {
                int nameBytes = Wire.getInt(slot.answer(), at + 16);
                names.add(text(at + 24, nameBytes));
                cookie = Wire.getLong(slot.answer(), at + 8);
                at += (24 + nameBytes + 7) / 8 * 8;
            }
        }
        assertTrue(pieces > 50);
        assertEquals(502, names.size());
        assertEquals(List.of(".", ".."), names.subList(0, 2));
        for (int i = 0; i < 500; i++) {
            assertEquals(MemoryOperations.nameOf(i), names.get(i + 2));
        }
    }

    private String text(int at, int bytes) {
        return new String(slot.answer().asSlice(at, bytes).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    @Test
    void readdirplus_gives_attributes_of_all_but_the_dots_and_leaves_no_byte_of_an_earlier_answer() {
        long dir = files.directory(1, "d");
        long first = files.file(dir, "a", new byte[11]);
        slot.answer().fill((byte) 0xee);
        int bytes = send(Opcode.READDIRPLUS, dir, readBody(dir + 2000, 0, 4096)) - Wire.Out.BYTES;
        assertEquals(3 * (128 + 32), bytes);
        MemorySegment out = slot.answer();
        assertEquals(0, Wire.getLong(out, 0));
        assertEquals(0, Wire.getLong(out, 160));
        assertEquals(first, Wire.getLong(out, 320));
        assertEquals(11, Wire.getLong(out, 320 + 40 + 8));
        assertEquals(NodeAttributes.REGULAR >>> 12, Wire.getInt(out, 320 + 128 + 20));
        assertEquals("a", text(320 + 128 + 24, 1));
        for (int i = 320 + 128 + 25; i < bytes; i++) {
            assertEquals(0, out.get(ValueLayout.JAVA_BYTE, i), "padding at " + i);
        }
    }

    @Test
    void a_child_whose_attributes_cannot_be_read_is_listed_without_them() {
        long dir = files.directory(1, "d");
        long bad = files.file(dir, "bad", new byte[11]);
        files.file(dir, "good", new byte[11]);
        handler = handler(new Overridden(files) {
            @Override
            public void getattr(FuseCall call, long node, NodeAttributes into) {
                if (node == bad) {
                    throw FuseErrno.EIO.exception();
                }
                super.getattr(call, node, into);
            }
        });
        assertEquals(Wire.Out.BYTES + 4 * 160, send(Opcode.READDIRPLUS, dir, readBody(dir + 2000, 0, 4096)));
        assertEquals(0, Wire.getLong(slot.answer(), 320));
        assertEquals(bad, Wire.getLong(slot.answer(), 320 + 128));
        assertEquals(bad + 1, Wire.getLong(slot.answer(), 480));
    }

    @Test
    void names_that_the_kernel_would_refuse_the_listing_for_are_left_out() {
        long dir = files.directory(1, "d");
        files.file(dir, "a/b", new byte[0]);
        files.file(dir, "a\0b", new byte[0]);
        files.file(dir, "", new byte[0]);
        files.file(dir, "ok", new byte[0]);
        int bytes = send(Opcode.READDIR, dir, readBody(dir + 2000, 0, 4096));
        assertEquals(Wire.Out.BYTES + 3 * 32, bytes);
        assertEquals("ok", text(64 + 24, 2));
    }

    @Test
    void opens_carry_handles_and_keep_the_cache_unless_they_are_stateless() {
        long id = files.file(1, "f", new byte[0]);
        assertEquals(Wire.Out.BYTES + 16, send(Opcode.OPEN, id, new byte[8]));
        assertEquals(id + 1000, Wire.getLong(slot.answer(), 0));
        assertEquals(2, Wire.getInt(slot.answer(), 8));
        assertEquals(Wire.Out.BYTES + 16, send(Opcode.OPENDIR, 1, new byte[8]));
        assertEquals(10, Wire.getInt(slot.answer(), 8));
        handler = handler(new MemoryOperations(true));
        assertError(FuseErrno.ENOSYS, send(Opcode.OPEN, 1, new byte[8]));
        assertError(FuseErrno.ENOSYS, send(Opcode.OPENDIR, 1, new byte[8]));
    }

    @Test
    void every_modification_of_a_read_only_mount_is_EROFS_and_what_is_unknown_is_ENOSYS() {
        for (int opcode : new int[] {4, 6, 8, 9, 10, 11, 12, 13, 16, 35, 43, 45, 47, 51, 53}) {
            assertError(FuseErrno.EROFS, send(opcode, 1, new byte[64]));
        }
        for (int opcode : new int[] {0, 7, 19, 20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 37, 40, 48, 54, 99, 4096, -1}) {
            assertError(FuseErrno.ENOSYS, send(opcode, 1, new byte[64]));
        }
    }

    @Test
    void forgets_are_counted_and_never_answered() {
        ByteBuffer one = body(8).putLong(0, 3);
        assertEquals(RequestHandler.NO_ANSWER, send(Opcode.FORGET, 1, bytes(one)));
        ByteBuffer batch = body(8 + 32);
        batch.putInt(0, 2).putLong(8, 5).putLong(16, 10).putLong(24, 6).putLong(32, 20);
        assertEquals(RequestHandler.NO_ANSWER, send(Opcode.BATCH_FORGET, 0, bytes(batch)));
        assertEquals(33, files.forgotten.get());
        batch.putInt(0, Integer.MIN_VALUE);
        assertEquals(RequestHandler.NO_ANSWER, send(Opcode.BATCH_FORGET, 0, bytes(batch)));
        assertEquals(63, files.forgotten.get(), "no more records than there are");
        assertEquals(RequestHandler.NO_ANSWER, send(Opcode.FORGET, 1, new byte[3]));
        assertEquals(RequestHandler.NO_ANSWER, send(Opcode.INTERRUPT, 1, new byte[0]));
    }

    @Test
    void malformed_names_are_refused() {
        assertError(FuseErrno.EIO, send(Opcode.LOOKUP, 1, new byte[0]));
        assertError(FuseErrno.EIO, send(Opcode.LOOKUP, 1, new byte[] {0}));
        assertError(FuseErrno.EIO, send(Opcode.LOOKUP, 1, new byte[] {'a'}));
        assertError(FuseErrno.EIO, send(Opcode.LOOKUP, 1, new byte[] {'a', 'b'}));
        assertError(FuseErrno.EIO, send(Opcode.LOOKUP, 1, new byte[] {'a', 0, 'b', 0}));
        byte[] huge = new byte[5000];
        Arrays.fill(huge, 0, 4999, (byte) 'a');
        assertError(FuseErrno.EIO, send(Opcode.LOOKUP, 1, huge));
        byte[] tooLong = new byte[300];
        Arrays.fill(tooLong, 0, 299, (byte) 'a');
        assertError(FuseErrno.ENAMETOOLONG, send(Opcode.LOOKUP, 1, tooLong));
    }

    @Test
    void an_ioctl_gets_what_goes_in_and_gives_what_comes_out() {
        ByteBuffer body = body(32 + 64);
        body.putInt(12, MemoryOperations.IOCTL_ADD_ONE).putInt(24, 64).putInt(28, 64);
        for (int i = 0; i < 64; i++) {
            body.put(32 + i, (byte) i);
        }
        assertEquals(Wire.Out.BYTES + 16 + 64, send(Opcode.IOCTL, 1, bytes(body)));
        assertEquals(5, Wire.getInt(slot.answer(), 0));
        assertEquals(0, Wire.getInt(slot.answer(), 4));
        assertEquals(1, slot.answer().get(ValueLayout.JAVA_BYTE, 16));
        assertEquals(64, slot.answer().get(ValueLayout.JAVA_BYTE, 16 + 63));
        assertError(FuseErrno.ENOTTY, send(Opcode.IOCTL, 1, bytes(body.putInt(12, 1))));
        assertError(FuseErrno.EIO, send(Opcode.IOCTL, 1, bytes(body.putInt(24, 65))));
        assertError(
                FuseErrno.EIO, send(Opcode.IOCTL, 1, bytes(body.putInt(24, 0).putInt(28, -1))));
    }

    @Test
    void seeking_hole_and_data() {
        long id = files.sparseFile(1, "s", 1000, 2000);
        ByteBuffer body = body(24).putLong(8, 10).putInt(16, FuseOperations.SEEK_DATA);
        assertEquals(Wire.Out.BYTES + 8, send(Opcode.LSEEK, id, bytes(body)));
        assertEquals(1000, Wire.getLong(slot.answer(), 0));
        body.putLong(8, 1500).putInt(16, FuseOperations.SEEK_HOLE);
        send(Opcode.LSEEK, id, bytes(body));
        assertEquals(2000, Wire.getLong(slot.answer(), 0));
        assertError(FuseErrno.ENXIO, send(Opcode.LSEEK, id, bytes(body.putLong(8, 2000))));
        assertError(FuseErrno.EINVAL, send(Opcode.LSEEK, id, bytes(body.putInt(16, 0))));
    }

    @Test
    void who_asks_is_passed_on() {
        int[] seen = new int[3];
        handler = handler(new Overridden(files) {
            @Override
            public void getattr(FuseCall call, long node, NodeAttributes into) {
                seen[0] = call.uid();
                seen[1] = call.gid();
                seen[2] = call.pid();
                super.getattr(call, node, into);
            }
        });
        send(Opcode.GETATTR, 1, new byte[16]);
        assertEquals(List.of(7, 8, 9), List.of(seen[0], seen[1], seen[2]));
    }

    @Test
    void an_exception_of_the_file_system_is_EIO_and_one_line_without_a_stack() {
        handler = handler(new Overridden(files) {
            @Override
            public void getattr(FuseCall call, long node, NodeAttributes into) {
                throw new IllegalStateException("broken inside");
            }
        });
        assertError(FuseErrno.EIO, send(Opcode.GETATTR, 1, new byte[16]));
        assertEquals(1, log.size());
        assertTrue(log.getFirst().contains("broken inside") && !log.getFirst().contains("\n"), log.getFirst());
        for (int i = 0; i < 1000; i++) {
            send(Opcode.GETATTR, 1, new byte[16]);
        }
        assertTrue(log.size() <= 100, "reports are bounded: " + log.size());
    }

    @Test
    void a_request_whose_length_is_not_what_was_read_is_EIO() {
        assertError(FuseErrno.EIO, send(Opcode.GETATTR, 1, new byte[16], 40));
        assertError(FuseErrno.EIO, send(Opcode.GETATTR, 1, new byte[16], -1));
        assertEquals(RequestHandler.NO_ANSWER, handler.handle(slot, 39));
        assertEquals(RequestHandler.NO_ANSWER, handler.handle(slot, 0));
    }

    @Test
    void whatever_bytes_a_request_has_it_gets_exactly_one_answer() {
        long seed = Long.getLong("test.seed", System.nanoTime());
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        long dir = files.directory(1, "d");
        files.fillDirectory(dir, 50);
        files.file(1, "f", MemoryOperations.pattern(5000));
        for (int i = 0; i < 100_000; i++) {
            if (i == 50_000) {
                handler = handler(files, false);
            }
            int opcode = random.nextInt(60);
            byte[] body = new byte[random.nextInt(10) == 0 ? random.nextInt(9000) : random.nextInt(64)];
            random.nextBytes(body);
            if (random.nextBoolean()) {
                for (int b = 0; b < body.length; b++) {
                    body[b] &= (byte) (b % 8 < 2 ? 0x3f : 0); // small numbers get further
                }
            }
            long node = random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(60);
            int bytes = send(opcode, node, body);
            boolean answered = bytes != RequestHandler.NO_ANSWER;
            assertEquals(Opcode.hasReply(opcode), answered, "opcode " + opcode);
            if (answered) {
                assertTrue(error() >= 0 && error() < 200, "error " + error());
                assertFalse(error() != 0 && bytes != Wire.Out.BYTES);
            }
        }
    }
}
