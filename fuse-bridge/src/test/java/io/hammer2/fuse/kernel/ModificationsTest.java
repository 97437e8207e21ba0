package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.MemoryOperations;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.NodeChange;
import io.hammer2.fuse.Overridden;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests of a mount that can be written, byte by byte. */
class ModificationsTest extends RequestTest {
    private static final int ENTRY = Wire.Out.BYTES + Wire.EntryOut.BYTES;

    /** What reached the file system, a line each. */
    private final List<String> seen = new ArrayList<>();

    @BeforeEach
    void writable() {
        handler = handler(
                new Overridden(files) {
                    @Override
                    public void rename(FuseCall c, long p, MemorySegment n, long np, MemorySegment nn, int flags) {
                        seen.add("rename " + p + " " + string(n) + " " + np + " " + string(nn) + " " + flags);
                    }

                    @Override
                    public void mknod(
                            FuseCall c, long p, MemorySegment n, int mode, int major, int minor, NodeAttributes into) {
                        seen.add("mknod " + string(n) + " " + Integer.toOctalString(mode) + " " + major + ":" + minor);
                        super.mknod(c, p, n, mode, major, minor, into);
                    }

                    @Override
                    public void fallocate(FuseCall c, long node, long handle, long offset, long length, int mode) {
                        seen.add("fallocate " + node + " " + handle + " " + offset + " " + length + " " + mode);
                    }

                    @Override
                    public long copyFileRange(
                            FuseCall c, long node, long h, long at, long toNode, long toH, long toAt, long length) {
                        seen.add("copy " + node + " " + h + " " + at + " " + toNode + " " + toH + " " + toAt + " "
                                + length);
                        return length;
                    }

                    @Override
                    public void fsync(FuseCall c, long node, boolean dataOnly) {
                        seen.add("fsync " + node + " " + dataOnly);
                    }

                    @Override
                    public void syncfs(FuseCall c) {
                        seen.add("syncfs");
                    }

                    @Override
                    public long open(FuseCall c, long node, int flags) {
                        seen.add("open " + Integer.toHexString(flags));
                        return super.open(c, node, flags);
                    }

                    @Override
                    public int write(FuseCall c, long node, long h, long offset, MemorySegment from, int flags) {
                        seen.add("write " + flags);
                        return super.write(c, node, h, offset, from, flags);
                    }

                    @Override
                    public void setattr(FuseCall c, long node, NodeChange change, NodeAttributes into) {
                        seen.add(text(change));
                        super.setattr(c, node, change, into);
                    }
                },
                false);
    }

    private static String string(MemorySegment bytes) {
        return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    private static String text(NodeChange change) {
        return "setattr"
                + (change.hasMode() ? " mode " + Integer.toOctalString(change.mode()) : "")
                + (change.hasUid() ? " uid " + change.uid() : "")
                + (change.hasGid() ? " gid " + change.gid() : "")
                + (change.hasSize() ? " size " + change.size() : "")
                + (change.hasAtime() ? " atime " + change.atimeMicros() : "")
                + (change.isAtimeNow() ? " atime now" : "")
                + (change.hasMtime() ? " mtime " + change.mtimeMicros() : "")
                + (change.isMtimeNow() ? " mtime now" : "")
                + (change.hasCtime() ? " ctime " + change.ctimeMicros() : "")
                + (change.dropsSetId() ? " drop" : "");
    }

    /** A structure followed by names, each with its zero. */
    private static byte[] named(ByteBuffer structure, String... names) {
        ByteBuffer all = body(structure.capacity()
                + Arrays.stream(names)
                        .mapToInt(n -> n.getBytes(StandardCharsets.UTF_8).length + 1)
                        .sum());
        all.put(bytes(structure));
        for (String name : names) {
            all.put(name.getBytes(StandardCharsets.UTF_8)).put((byte) 0);
        }
        return bytes(all);
    }

    private NodeAttributes find(long parent, String name) {
        NodeAttributes found = new NodeAttributes();
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        return files.lookup(slot, parent, MemorySegment.ofArray(bytes), found) ? found : null;
    }

    private static byte[] writeBody(long handle, long offset, int size, int writeFlags, byte[] data) {
        ByteBuffer body = body(Wire.WriteIn.BYTES + data.length);
        body.putLong(0, handle).putLong(8, offset).putInt(16, size).putInt(20, writeFlags);
        body.put(Wire.WriteIn.BYTES, data);
        return bytes(body);
    }

    @Test
    void a_created_file_is_answered_with_its_entry_and_an_open_handle() {
        ByteBuffer in = body(16).putInt(0, 0x8042).putInt(4, 0100640).putInt(8, 022);
        assertEquals(ENTRY + 16, send(Opcode.CREATE, 1, named(in, "new")));
        assertEquals(0, error());
        NodeAttributes made = find(1, "new");
        assertEquals(NodeAttributes.REGULAR | 0640, made.mode());
        assertEquals(7, made.uid());
        assertEquals(8, made.gid());
        assertEquals(made.node(), Wire.getLong(slot.answer(), 0));
        assertEquals(made.node(), Wire.getLong(slot.answer(), 40));
        assertEquals(made.node() + 1000, Wire.getLong(slot.answer(), 128));
        assertEquals(2, Wire.getInt(slot.answer(), 136));
        assertError(FuseErrno.EEXIST, send(Opcode.CREATE, 1, named(in, "new")));
    }

    @Test
    void a_file_without_a_name_gets_one_by_link() {
        ByteBuffer in = body(16).putInt(0, 2).putInt(4, 0100600);
        assertEquals(ENTRY + 16, send(Opcode.TMPFILE, 1, named(in, "/")));
        long id = Wire.getLong(slot.answer(), 0);
        assertEquals(0, Wire.getInt(slot.answer(), 40 + 64), "no link");
        assertEquals(ENTRY, send(Opcode.LINK, 1, named(body(8).putLong(0, id), "named")));
        assertEquals(id, find(1, "named").node());
    }

    @Test
    void nodes_of_all_kinds_are_made() {
        assertEquals(ENTRY, send(Opcode.MKDIR, 1, named(body(8).putInt(0, 040750), "dir")));
        assertEquals(NodeAttributes.DIRECTORY | 0750, find(1, "dir").mode());
        assertEquals(ENTRY, send(Opcode.SYMLINK, 1, named(body(0), "link", "to/there")));
        assertEquals(NodeAttributes.SYMLINK | 0777, find(1, "link").mode());
        assertEquals(8, find(1, "link").sizeBytes());
        ByteBuffer device = body(16).putInt(0, 060660).putInt(4, Wire.encodeDevice(0x345, 0x12678));
        assertEquals(ENTRY, send(Opcode.MKNOD, 1, named(device, "device")));
        assertEquals(ENTRY, send(Opcode.MKNOD, 1, named(device.putInt(0, 0100600), "file")));
        assertEquals(List.of("mknod device 60660 837:75384", "mknod file 100600 0:0"), seen);
        assertError(FuseErrno.EIO, send(Opcode.MKNOD, 1, named(device.putInt(0, 040700), "directory")));
        assertError(FuseErrno.EIO, send(Opcode.MKNOD, 1, named(device.putInt(0, 0), "nothing")));
    }

    @Test
    void names_are_removed_each_by_its_own_kind_of_request() {
        files.file(1, "file", new byte[3]);
        files.file(files.directory(1, "dir"), "in", new byte[0]);
        assertError(FuseErrno.EISDIR, send(Opcode.UNLINK, 1, name("dir")));
        assertError(FuseErrno.ENOTDIR, send(Opcode.RMDIR, 1, name("file")));
        assertError(FuseErrno.ENOTEMPTY, send(Opcode.RMDIR, 1, name("dir")));
        assertEquals(Wire.Out.BYTES, send(Opcode.UNLINK, 1, name("file")));
        assertEquals(0, error());
        assertNull(find(1, "file"));
    }

    @Test
    void a_rename_carries_both_names_and_its_flags() {
        assertEquals(Wire.Out.BYTES, send(Opcode.RENAME, 1, named(body(8).putLong(0, 9), "from", "to")));
        ByteBuffer second = body(16).putLong(0, 10).putInt(8, 2);
        send(Opcode.RENAME2, 1, named(second, "a", "b"));
        assertEquals(List.of("rename 1 from 9 to 0", "rename 1 a 10 b 2"), seen);
        assertError(FuseErrno.EIO, send(Opcode.RENAME, 1, named(body(8), "one")));
        assertError(FuseErrno.EIO, send(Opcode.RENAME, 1, named(body(8), "", "to")));
        assertError(FuseErrno.EIO, send(Opcode.RENAME, 1, named(body(8), "a", "b", "c")));
        assertError(FuseErrno.EIO, send(Opcode.RENAME, 1, new byte[7]));
        assertError(FuseErrno.EIO, send(Opcode.RENAME2, 1, new byte[12]));
        assertEquals(2, seen.size());
    }

    @Test
    void a_write_carries_up_to_1_MiB_and_its_flags() {
        long id = files.file(1, "f", new byte[0]);
        byte[] data = MemoryOperations.pattern(1 << 20);
        assertEquals(Wire.Out.BYTES + 8, send(Opcode.WRITE, id, writeBody(id + 1000, 100, 1 << 20, 0, data)));
        assertEquals(1 << 20, Wire.getInt(slot.answer(), 0));
        assertEquals(0, Wire.getInt(slot.answer(), 4));
        send(Opcode.WRITE, id, writeBody(id + 1000, 50, 50, 1 | 4 | 2, Arrays.copyOf(data, 50)));
        assertEquals(List.of("write 1", "write 3"), seen);
        MemorySegment into = MemorySegment.ofArray(new byte[100 + (1 << 20)]);
        assertEquals(100 + (1 << 20), files.read(slot, id, id + 1000, 0, into));
        byte[] expected = new byte[100 + (1 << 20)];
        System.arraycopy(data, 0, expected, 50, 50);
        System.arraycopy(data, 0, expected, 100, 1 << 20);
        assertArrayEquals(expected, into.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void a_write_that_claims_more_than_it_brings_is_refused() {
        long id = files.file(1, "f", new byte[0]);
        assertError(FuseErrno.EIO, send(Opcode.WRITE, id, writeBody(id + 1000, 0, 11, 0, new byte[10])));
        assertError(FuseErrno.EIO, send(Opcode.WRITE, id, writeBody(id + 1000, 0, -1, 0, new byte[10])));
        assertError(FuseErrno.EIO, send(Opcode.WRITE, id, writeBody(id + 1000, -1, 10, 0, new byte[10])));
        assertError(FuseErrno.EIO, send(Opcode.WRITE, id, new byte[39]));
        assertEquals(List.of(), seen);
    }

    @Test
    void a_setattr_changes_what_its_mask_says() {
        long id = files.file(1, "f", new byte[100]);
        ByteBuffer in = body(88);
        in.putLong(16, 50).putLong(32, 1_000).putLong(40, -1).putLong(48, 3_000);
        in.putInt(56, 999_999_999)
                .putInt(60, 5_000)
                .putInt(64, 1_000)
                .putInt(68, 0107755)
                .putInt(76, 11)
                .putInt(80, 12);
        int[] masks = {0, 1, 2, 4, 8, 0x10, 0x20, 0x90, 0x120, 0x400, 0x800, 0x240, 0x43f};
        for (int mask : masks) {
            assertEquals(Wire.Out.BYTES + 104, send(Opcode.SETATTR, id, bytes(in.putInt(0, mask))));
        }
        assertEquals(
                List.of(
                        "setattr",
                        "setattr mode 7755",
                        "setattr uid 11",
                        "setattr gid 12",
                        "setattr size 50",
                        "setattr atime 1000999999",
                        "setattr mtime -999995",
                        "setattr atime now",
                        "setattr mtime now",
                        "setattr ctime 3000000001",
                        "setattr drop",
                        "setattr",
                        "setattr mode 7755 uid 11 gid 12 size 50 atime 1000999999 mtime -999995 ctime 3000000001"),
                seen);
        assertEquals(50, Wire.getLong(slot.answer(), 16 + 8));
        assertError(
                FuseErrno.EIO, send(Opcode.SETATTR, id, bytes(in.putInt(0, 8).putLong(16, -1))));
        assertError(
                FuseErrno.EIO, send(Opcode.SETATTR, id, bytes(in.putInt(0, 0x10).putInt(56, 1_000_000_000))));
        assertError(FuseErrno.EIO, send(Opcode.SETATTR, id, new byte[80]));
        send(Opcode.SETATTR, id, bytes(in.putLong(32, Long.MIN_VALUE).putInt(56, 0)));
        assertEquals("setattr atime -9223372036853000000", seen.getLast());
    }

    @Test
    void an_open_tells_of_truncation_and_of_set_id_bits_that_go_with_it() {
        long id = files.file(1, "f", new byte[100]);
        send(Opcode.OPEN, id, bytes(body(8).putInt(0, 01002 | FuseOperations.OPEN_DROP_SETID)));
        send(Opcode.OPEN, id, bytes(body(8).putInt(0, 01002).putInt(4, 1)));
        assertEquals(List.of("open 202", "open 40000202"), seen);
        assertEquals(0, find(1, "f").sizeBytes());
    }

    @Test
    void ranges_are_allocated_and_copied_as_asked() {
        ByteBuffer in = body(32).putLong(0, 5).putLong(8, 10).putLong(16, 20).putInt(24, 3);
        assertEquals(Wire.Out.BYTES, send(Opcode.FALLOCATE, 2, bytes(in)));
        assertEquals(List.of("fallocate 2 5 10 20 3"), seen);
        assertError(FuseErrno.EINVAL, send(Opcode.FALLOCATE, 2, bytes(in.putLong(16, 0))));
        assertError(FuseErrno.EINVAL, send(Opcode.FALLOCATE, 2, bytes(in.putLong(8, -1))));
        assertError(
                FuseErrno.EFBIG,
                send(Opcode.FALLOCATE, 2, bytes(in.putLong(8, 9).putLong(16, Long.MAX_VALUE))));
        seen.clear();
        ByteBuffer copy = body(56);
        copy.putLong(0, 1)
                .putLong(8, 2)
                .putLong(16, 3)
                .putLong(24, 4)
                .putLong(32, 5)
                .putLong(40, 1L << 40);
        assertEquals(Wire.Out.BYTES + 8, send(Opcode.COPY_FILE_RANGE, 9, bytes(copy)));
        assertEquals(0x7fff_f000L, Wire.getLong(slot.answer(), 0));
        assertEquals(Wire.Out.BYTES + 8, send(Opcode.COPY_FILE_RANGE_64, 9, bytes(copy)));
        assertEquals(1L << 40, Wire.getLong(slot.answer(), 0));
        assertEquals(List.of("copy 9 1 2 3 4 5 2147479552", "copy 9 1 2 3 4 5 1099511627776"), seen);
        assertError(FuseErrno.EINVAL, send(Opcode.COPY_FILE_RANGE, 9, bytes(copy.putLong(48, 1))));
        assertError(
                FuseErrno.EINVAL,
                send(Opcode.COPY_FILE_RANGE_64, 9, bytes(copy.putLong(48, 0).putLong(8, -1))));
    }

    @Test
    void syncs_are_passed_on_and_a_flush_is_not_asked_for_again() {
        send(Opcode.FSYNC, 5, bytes(body(16).putInt(8, 1)));
        send(Opcode.FSYNC, 6, bytes(body(16)));
        send(Opcode.FSYNCDIR, 1, bytes(body(16)));
        send(Opcode.SYNCFS, 1, new byte[8]);
        send(Opcode.DESTROY, 0, new byte[0]);
        assertEquals(List.of("fsync 5 true", "fsync 6 false", "fsync 1 false", "syncfs", "syncfs"), seen);
        assertError(FuseErrno.ENOSYS, send(Opcode.FLUSH, 5, new byte[24]));
        assertError(FuseErrno.ENOSYS, send(Opcode.SETXATTR, 5, new byte[64]));
    }

    @Test
    void malformed_names_are_refused_in_every_request_that_has_one() {
        int[][] requests = {
            {Opcode.CREATE, 16},
            {Opcode.MKNOD, 16},
            {Opcode.MKDIR, 8},
            {Opcode.LINK, 8},
            {Opcode.UNLINK, 0},
            {Opcode.RMDIR, 0},
            {Opcode.SYMLINK, 0},
            {Opcode.RENAME, 8},
            {Opcode.RENAME2, 16}
        };
        long file = files.file(1, "f", new byte[0]);
        for (int[] request : requests) {
            ByteBuffer structure = body(request[1]);
            if (request[0] == Opcode.MKNOD) {
                structure.putInt(0, 0100600);
            }
            if (request[0] == Opcode.LINK) {
                structure.putLong(0, file);
            }
            int opcode = request[0];
            byte[] good = named(structure, "name");
            for (int bytes = 0; bytes < good.length; bytes++) {
                assertError(FuseErrno.EIO, send(opcode, 1, Arrays.copyOf(good, bytes)));
            }
            assertError(FuseErrno.EIO, send(opcode, 1, named(structure, "")));
            assertError(FuseErrno.EIO, send(opcode, 1, named(structure, "x".repeat(4096), "y")));
            assertError(FuseErrno.EIO, send(opcode, 1, named(structure, "a", "b", "c")));
        }
        assertError(FuseErrno.ENAMETOOLONG, send(Opcode.MKDIR, 1, named(body(8), "x".repeat(300))));
    }

    @Test
    void only_what_changes_nothing_may_be_abandoned() {
        assertTrue(Opcode.mayBeAbandoned(Opcode.LOOKUP));
        assertTrue(Opcode.mayBeAbandoned(Opcode.READ));
        for (int opcode = 0; opcode < 64; opcode++) {
            assertFalse(Opcode.modifies(opcode) && Opcode.mayBeAbandoned(opcode), "opcode " + opcode);
        }
        for (int opcode : new int[] {Opcode.OPEN, Opcode.FSYNC, Opcode.FSYNCDIR, Opcode.SYNCFS, Opcode.IOCTL}) {
            assertFalse(Opcode.mayBeAbandoned(opcode), "opcode " + opcode);
        }
    }
}
