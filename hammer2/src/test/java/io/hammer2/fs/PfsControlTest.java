package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.fsck.FsckResult;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fs.testing.SteppedVolume;
import io.hammer2.lwkt.LwktThread;
import io.hammer2.lwkt.Message;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** PFSs of a volume in use, made, copied, exchanged and deleted, with the checker after each life of the volume. */
final class PfsControlTest {
    private static final long VOLUME_BYTES = 128L << 20;
    private static final long ROOT = FileSystem.ROOT_INUM;

    private final Random random = new Random(2);
    private final SteppedVolume stepped = new SteppedVolume(VOLUME_BYTES);
    private Hammer2 volume;
    private FileSystem data;
    private long seed = 1;

    @BeforeEach
    void format() throws Exception {
        stepped.format();
        open();
    }

    @AfterEach
    void end() throws Exception {
        close();
        stepped.close();
        assertEquals(List.of(), stepped.log);
    }

    private UUID uuid() {
        return new UUID(random.nextLong(), random.nextLong());
    }

    private void open() throws Exception {
        stepped.mount(stepped.disk(), seed++, options -> options);
        volume = stepped.volume();
        data = stepped.files();
    }

    private void close() throws Exception {
        stepped.unmount();
        stepped.checked();
    }

    private <T> T on(Callable<T> body) throws Exception {
        return stepped.on(body);
    }

    private PfsControl.Timing change(PfsChange... changes) throws Exception {
        return on(() -> volume.pfss().change(List.of(changes)));
    }

    private void refused(Errno errno, PfsChange... changes) {
        FsException e = assertThrows(FsException.class, () -> change(changes));
        assertEquals(errno, e.errno(), e.getMessage());
    }

    private static Label label(String text) {
        return Label.of(text);
    }

    private PfsChange create(String label) {
        return new PfsChange.Create(label(label), PfsType.MASTER, new PfsChange.Ids(uuid(), uuid()));
    }

    private PfsChange snapshot(String source, String label) {
        return new PfsChange.Snapshot(label(source), label(label), false, new PfsChange.Ids(uuid(), uuid()));
    }

    private static PfsChange delete(String label) {
        return new PfsChange.Delete(label(label));
    }

    private static PfsChange rollback(String label, String source) {
        return new PfsChange.Rollback(label(label), label(source), false);
    }

    private List<String> labels() throws Exception {
        return volume.pfsList().stream().map(PfsInfo::label).sorted().toList();
    }

    private PfsInfo info(String label) throws Exception {
        return on(() -> volume.pfss().find(label(label)));
    }

    private static MemorySegment bytes(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    private void write(FileSystem files, String name, String content) throws Exception {
        on(() -> {
            Attributes found = files.lookup(ROOT, bytes(name));
            long inum = found != null
                    ? found.inum()
                    : files.create(ROOT, bytes(name), NewInode.of(FileType.REGULAR, 0644, 7, 8))
                            .inum();
            files.setAttributes(inum, new AttributeChange().size(0));
            return files.write(inum, 0, bytes(content), 0);
        });
    }

    /** Content of a file, or null. */
    private String read(FileSystem files, String name) throws Exception {
        return on(() -> {
            Attributes found = files.lookup(ROOT, bytes(name));
            if (found == null) {
                return null;
            }
            byte[] into = new byte[(int) found.size()];
            files.read(found.inum(), 0, MemorySegment.ofArray(into));
            return new String(into, StandardCharsets.UTF_8);
        });
    }

    /** What is in a PFS that is mounted for that. */
    private String readIn(String label, String name) throws Exception {
        FileSystem files = volume.mount(label);
        try {
            return read(files, name);
        } finally {
            files.unmount();
        }
    }

    @Test
    void what_was_made_is_listed_at_once_mounts_and_survives() throws Exception {
        UUID clid = uuid();
        UUID fsid = uuid();
        change(new PfsChange.Create(label("HOME"), PfsType.SLAVE, new PfsChange.Ids(clid, fsid)));
        assertEquals(List.of("DATA", "HOME", "LOCAL"), labels());
        PfsInfo made = info("HOME");
        assertEquals(PfsType.SLAVE, made.type());
        assertEquals(clid, made.clid());
        assertEquals(fsid, made.fsid());
        assertEquals(0, made.subtype());
        FileSystem home = volume.mount("HOME");
        write(home, "a", "in home");
        write(data, "a", "in data");
        assertEquals("in home", read(home, "a"));
        assertEquals("in data", read(data, "a"));
        close();
        open();
        assertEquals("in home", readIn("HOME", "a"));
        assertEquals("in data", read(data, "a"));
    }

    @Test
    void a_hundred_pfss_are_found_again_and_deleted() throws Exception {
        for (int i = 0; i < 100; i++) {
            change(create("p" + i), snapshot("DATA", "s" + i));
        }
        assertEquals(202, labels().size());
        close();
        open();
        for (int i = 0; i < 100; i++) {
            assertNotNull(info("p" + i));
            change(delete("p" + i), delete("s" + i));
        }
        assertEquals(List.of("DATA", "LOCAL"), labels());
    }

    @Test
    void a_snapshot_is_of_its_moment_and_can_be_written_by_itself() throws Exception {
        write(data, "a", "old");
        on(() -> data.setAttributes(
                ROOT, new AttributeChange().mode(0700).uid(1001).gid(1002)));
        Attributes before = on(() -> data.attributes(ROOT));
        PfsControl.Timing timing = change(snapshot("DATA", "DATA.1"));
        assertTrue(timing.durableNanos() >= timing.coreNanos());
        write(data, "a", "new");
        assertEquals("old", readIn("DATA.1", "a"));
        FileSystem copy = volume.mount("DATA.1");
        Attributes kept = on(() -> copy.attributes(ROOT));
        assertEquals(before, kept);
        write(copy, "a", "mine");
        write(copy, "b", "mine, too");
        assertEquals("new", read(data, "a"));
        assertNull(read(data, "b"));
        close();
        open();
        assertEquals("mine", readIn("DATA.1", "a"));
        assertEquals("new", read(data, "a"));
        PfsInfo info = info("DATA.1");
        assertTrue(info.isSnapshot());
        assertEquals(PfsType.MASTER, info.type());
        assertNotEquals(info("DATA").clid(), info.clid());
        assertNotEquals(info("DATA").fsid(), info.fsid());
    }

    @Test
    void source_and_snapshot_know_the_transaction_that_parted_them() throws Exception {
        write(data, "a", "1");
        change(snapshot("DATA", "s"));
        long tid = info("s").lastSnapshotTid();
        assertTrue(tid > 0);
        assertEquals(tid, info("DATA").lastSnapshotTid());
        // Of one that is not mounted: its root has to be written for that.
        change(snapshot("s", "t"));
        assertTrue(info("t").lastSnapshotTid() > tid);
        assertEquals(info("t").lastSnapshotTid(), info("s").lastSnapshotTid());
        assertEquals("1", readIn("t", "a"));
    }

    @Test
    void inode_numbers_of_a_snapshot_go_on_where_it_was_made() throws Exception {
        write(data, "a", "1");
        long inum = on(() -> data.lookup(ROOT, bytes("a")).inum());
        change(snapshot("DATA", "s"));
        FileSystem copy = volume.mount("s");
        assertEquals(inum, on(() -> copy.lookup(ROOT, bytes("a")).inum()));
        write(copy, "b", "2");
        assertTrue(on(() -> copy.lookup(ROOT, bytes("b")).inum()) > inum);
    }

    @Test
    void a_snapshot_without_a_sync_has_what_was_committed() throws Exception {
        write(data, "a", "committed");
        volume.sync();
        write(data, "a", "not yet");
        change(new PfsChange.Snapshot(label("DATA"), label("s"), true, new PfsChange.Ids(uuid(), uuid())));
        assertEquals("committed", readIn("s", "a"));
        assertEquals("not yet", read(data, "a"));
    }

    @Test
    void several_pfss_are_copied_in_one_commit_or_not_at_all() throws Exception {
        change(create("HOME"));
        FileSystem home = volume.mount("HOME");
        write(home, "a", "h");
        write(data, "a", "d");
        change(snapshot("DATA", "DATA.1"), snapshot("HOME", "HOME.1"));
        assertEquals("h", readIn("HOME.1", "a"));
        assertEquals("d", readIn("DATA.1", "a"));
        refused(Errno.EEXIST, snapshot("DATA", "DATA.2"), snapshot("HOME", "HOME.1"));
        refused(Errno.EEXIST, snapshot("DATA", "DATA.2"), snapshot("HOME", "DATA.2"));
        refused(Errno.ENOENT, snapshot("DATA", "DATA.2"), snapshot("NOSUCH", "NOSUCH.2"));
        assertNull(info("DATA.2"));
    }

    @Test
    void what_is_not_there_or_there_or_mounted_is_refused() throws Exception {
        refused(Errno.EEXIST, create("DATA"));
        refused(Errno.EEXIST, snapshot("DATA", "LOCAL"));
        refused(Errno.ENOENT, delete("NOSUCH"));
        refused(Errno.EBUSY, delete("DATA"));
        refused(Errno.EBUSY, rollback("DATA", "LOCAL"));
        refused(Errno.ENAMETOOLONG, create("x".repeat(256)));
        refused(Errno.EINVAL, create(""));
        refused(Errno.EINVAL, create("a/b"));
        refused(Errno.EINVAL, create("a\0b"));
        change(create("x".repeat(255)));
        assertNotNull(info("x".repeat(255)));
        change(delete("x".repeat(255)));
        assertEquals(List.of("DATA", "LOCAL"), labels());
    }

    @Test
    void a_rollback_restores_content_and_gives_no_number_twice() throws Exception {
        write(data, "a", "old");
        on(() -> data.setAttributes(ROOT, new AttributeChange().mode(0711)));
        change(snapshot("DATA", "s"));
        PfsInfo before = info("DATA");
        write(data, "a", "new");
        write(data, "b", "later");
        on(() -> data.setAttributes(ROOT, new AttributeChange().mode(0777)));
        long later = on(() -> data.lookup(ROOT, bytes("b")).inum());
        data.unmount();
        change(rollback("DATA", "s"));
        data = volume.mount("DATA");
        assertEquals("old", read(data, "a"));
        assertNull(read(data, "b"));
        assertEquals(0711, on(() -> data.attributes(ROOT)).mode());
        PfsInfo after = info("DATA");
        assertEquals(before.clid(), after.clid());
        assertEquals(before.fsid(), after.fsid());
        assertEquals(before.nameKey(), after.nameKey());
        assertFalse(after.isSnapshot());
        write(data, "c", "after");
        assertTrue(on(() -> data.lookup(ROOT, bytes("c")).inum()) > later);
        assertEquals("old", readIn("s", "a"));
    }

    @Test
    void a_rollback_of_what_is_mounted_leaves_nothing_to_who_has_it_open() throws Exception {
        write(data, "a", "old");
        long dir = on(() -> data.create(ROOT, bytes("dir"), NewInode.of(FileType.DIRECTORY, 0755, 1, 1))
                .inum());
        change(snapshot("DATA", "s"));
        write(data, "a", "new");
        write(data, "b", "later");
        long a = on(() -> data.lookup(ROOT, bytes("a")).inum());
        long b = on(() -> data.lookup(ROOT, bytes("b")).inum());
        byte[] incompressible = new byte[300_000];
        random.nextBytes(incompressible);
        on(() -> {
            data.open(a);
            data.open(b);
            data.write(b, 0, MemorySegment.ofArray(incompressible), 0);
            data.sync();
            data.unlink(ROOT, bytes("b"));
            return null;
        });
        FileSystem stale = data;
        change(snapshot("DATA", "kept"), new PfsChange.Rollback(label("DATA"), label("s"), true));
        assertTrue(on(stale::isRetired));
        for (long inum : List.of(ROOT, dir, a, b)) {
            assertStale(() -> stale.attributes(inum));
        }
        assertStale(() -> stale.lookup(ROOT, bytes("a")));
        assertStale(() -> stale.read(a, 0, MemorySegment.ofArray(new byte[10])));
        assertStale(() -> stale.write(a, 0, bytes("x"), 0));
        assertStale(() -> stale.write(b, 0, bytes("x"), 0));
        assertStale(() -> stale.create(dir, bytes("x"), NewInode.of(FileType.REGULAR, 0644, 0, 0)));
        assertStale(() -> stale.create(ROOT, bytes("x"), NewInode.of(FileType.REGULAR, 0644, 0, 0)));
        assertStale(() -> stale.setAttributes(a, new AttributeChange().mode(0)));
        data = volume.mount("DATA");
        on(() -> {
            stale.sync();
            stale.statfs();
            stale.release(a);
            stale.release(b);
            return null;
        });
        stale.unmount();
        assertEquals("old", read(data, "a"));
        assertNull(read(data, "b"));
        write(data, "c", "after");
        assertTrue(on(() -> data.lookup(ROOT, bytes("c")).inum()) > b);
        assertEquals("new", readIn("kept", "a"));
        assertNull(readIn("kept", "b"));
        change(delete("kept"), delete("s"));
        assertExactAfterBulkfree();
        assertEquals("old", read(data, "a"));
    }

    private void assertStale(Callable<?> operation) {
        FsException e = assertThrows(FsException.class, () -> on(operation));
        assertEquals(Errno.ESTALE, e.errno(), e.getMessage());
    }

    @Test
    void who_works_on_a_pfs_while_it_is_rolled_back_changes_it_before_or_not_at_all() throws Exception {
        for (int i = 0; i < 20; i++) {
            write(data, "f" + i, "old");
        }
        change(snapshot("DATA", "s"));
        for (int round = 0; round < 20; round++) {
            FileSystem mounted = data;
            int workers = 4;
            on(() -> {
                List<Message<Integer>> done = new ArrayList<>();
                for (int w = 0; w < workers; w++) {
                    Message<Integer> end = new Message<>();
                    done.add(end);
                    int first = w;
                    stepped.lwkt().cpu(w % 2).spawn("worker", () -> end.reply(workUntilStale(mounted, first)));
                }
                volume.pfss().change(List.of(new PfsChange.Rollback(label("DATA"), label("s"), true)));
                int operations = 0;
                for (Message<Integer> end : done) {
                    operations += end.await();
                }
                return operations;
            });
            data = volume.mount("DATA");
            mounted.unmount();
            for (int i = 0; i < 20; i++) {
                assertEquals("old", read(data, "f" + i));
            }
            assertNull(read(data, "new0"));
        }
    }

    /** @return how many operations were done before it was rolled back */
    private static int workUntilStale(FileSystem files, int first) {
        for (int i = first; ; i++) {
            try {
                String name = "f" + i % 20;
                Attributes found = files.lookup(ROOT, bytes(name));
                files.open(found.inum());
                try {
                    files.write(found.inum(), 0, bytes("worker " + first), 0);
                    files.read(found.inum(), 0, MemorySegment.ofArray(new byte[20]));
                } finally {
                    files.release(found.inum());
                }
                files.create(ROOT, bytes("new" + i), NewInode.of(FileType.REGULAR, 0644, 0, 0));
            } catch (FsException e) {
                if (e.errno() == Errno.ESTALE) {
                    return i - first;
                }
                if (e.errno() != Errno.EEXIST) {
                    throw e;
                }
            }
        }
    }

    @Test
    void one_of_several_mounts_ends_while_others_go_on() throws Exception {
        change(create("HOME"));
        FileSystem home = volume.mount("HOME");
        write(home, "a", "h");
        write(data, "a", "d");
        assertThrows(Hammer2Exception.class, () -> volume.mount("HOME"));
        home.unmount();
        write(data, "b", "after");
        change(delete("HOME"));
        assertEquals(List.of("DATA", "LOCAL"), labels());
        close();
        open();
        assertEquals("after", read(data, "b"));
    }

    @Test
    void a_file_that_is_open_without_a_name_is_gone_after_its_unmount_and_its_space_comes_back() throws Exception {
        change(create("HOME"));
        FileSystem home = volume.mount("HOME");
        on(() -> {
            long inum = home.create(ROOT, bytes("f"), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                    .inum();
            home.open(inum);
            home.write(inum, 0, MemorySegment.ofArray(new byte[900_000]).fill((byte) 3), 0);
            home.sync();
            home.unlink(ROOT, bytes("f"));
            return null;
        });
        home.unmount();
        change(delete("HOME"));
        assertExactAfterBulkfree();
    }

    @Test
    void when_all_snapshots_are_deleted_the_freemap_is_what_a_traversal_finds() throws Exception {
        for (int round = 0; round < 8; round++) {
            for (int i = 0; i < 30; i++) {
                write(data, "f" + (i * 7 + round) % 40, "x".repeat(1 + (i * 977 + round) % 5000));
            }
            change(snapshot("DATA", "s" + round));
            if (round > 2) {
                change(delete("s" + (round - 3)));
            }
        }
        for (String label : labels()) {
            if (label.startsWith("s")) {
                change(delete(label));
            }
        }
        assertExactAfterBulkfree();
    }

    private void assertExactAfterBulkfree() throws Exception {
        BulkFreeResult done = volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
        assertTrue(done.freedBytes() > 0);
        stepped.unmount();
        FsckResult.FreemapReport freemap = stepped.checked().freemap();
        assertEquals(0, freemap.unreferencedCount());
        assertEquals(0, freemap.unreferencedStagedCount());
        assertEquals(0, freemap.stagedCount());
        open();
    }

    @Test
    void a_full_volume_refuses_to_grow_and_deletes() throws Exception {
        int[] made = new int[1];
        FsException full = assertThrows(
                FsException.class,
                () -> on(() -> {
                    for (; ; made[0]++) {
                        long inum = data.create(ROOT, bytes("f" + made[0]), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                                .inum();
                        byte[] content = new byte[500_000];
                        new Random(made[0]).nextBytes(content);
                        data.write(inum, 0, MemorySegment.ofArray(content), 0);
                        if (made[0] == 20) {
                            volume.pfss().change(List.of(snapshot("DATA", "s")));
                        }
                    }
                }));
        assertEquals(Errno.ENOSPC, full.errno());
        FsException none = assertThrows(FsException.class, () -> {
            // What is too little for a large file may do for some of these.
            for (int i = 0; i < 1000; i++) {
                change(create("p" + i));
            }
        });
        assertEquals(Errno.ENOSPC, none.errno());
        refused(Errno.ENOSPC, snapshot("DATA", "more"));
        on(() -> {
            for (int i = 0; i <= 20; i++) {
                data.unlink(ROOT, bytes("f" + i));
            }
            return null;
        });
        // Their data are the snapshot's still.
        change(delete("s"));
        volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
        change(create("more"));
        write(data, "again", "x".repeat(100_000));
        assertNotNull(info("more"));
    }

    @Test
    void a_volume_that_is_read_only_says_so() throws Exception {
        close();
        stepped.mount(
                stepped.disk(),
                seed++,
                options -> MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, stepped.log::add));
        volume = stepped.volume();
        FsException e = assertThrows(FsException.class, () -> change(create("x")));
        assertEquals(Errno.EROFS, e.errno());
    }

    @Test
    void the_root_inode_of_a_new_pfs_is_as_the_format_wants_it() throws Exception {
        change(create("HOME"), create("Boot"));
        FileSystem home = volume.mount("HOME");
        byte[] root = on(() -> home.inodeInfo(ROOT).inodeBlock().toArray(ValueLayout.JAVA_BYTE));
        InodeBlock inode = new InodeBlock(MemorySegment.ofArray(root));
        assertEquals(1, inode.iparent());
        assertEquals(1, inode.nlinks());
        assertEquals(0755, inode.mode());
        assertEquals(2, inode.compAlgo());
        assertEquals(3, inode.checkAlgo());
        assertTrue(inode.isPfsRoot());
        assertEquals(info("HOME").nameKey(), inode.nameKey());
        assertArrayEquals(label("HOME").bytes(), inode.name());
        FileSystem boot = volume.mount("Boot");
        byte[] other = on(() -> boot.inodeInfo(ROOT).inodeBlock().toArray(ValueLayout.JAVA_BYTE));
        assertEquals(1, new InodeBlock(MemorySegment.ofArray(other)).compAlgo());
    }

    /**
     * A snapshot is added while changes go on. Who begins to use its source just then must have the source that knows of it: what is shared would be
     * written in place by DragonFly otherwise (format section 11.4).
     */
    @Test
    void what_comes_into_use_while_a_snapshot_of_it_is_made_knows_of_the_snapshot() throws Exception {
        change(create("OTHER"));
        FileSystem other = volume.mount("OTHER");
        for (int i = 0; i < 50; i++) {
            write(other, "file" + i, "content " + i);
        }
        other.unmount();
        UUID fsid = info("OTHER").fsid();
        long before = info("OTHER").lastSnapshotTid();
        int looks = 0;
        for (int round = 0; round < 40; round++) {
            close();
            open(); // with nothing in memory, so that who looks has to wait for the device
            for (int i = 0; i < 20; i++) {
                write(data, "file" + i, "content " + round); // so that the commit takes a while
            }
            PfsChange snapshot = snapshot("OTHER", "S" + round);
            Message<Void> made = new Message<>();
            looks += on(() -> {
                stepped.lwkt().cpu(1).spawn("snapshot", () -> {
                    volume.pfss().change(List.of(snapshot));
                    made.reply(null);
                });
                int count = 0;
                while (!made.isDone()) {
                    FileSystem looked = volume.look(label("OTHER"), fsid);
                    LwktThread.yieldNow();
                    looked.lookNoMore();
                    count++;
                }
                return count;
            });
            long noted = info("OTHER").lastSnapshotTid();
            assertTrue(noted > before, "snapshot " + round + " was noted as " + noted + " after " + before);
            assertEquals(noted, info("S" + round).lastSnapshotTid());
            before = noted;
        }
        assertTrue(looks > 40, "looked " + looks + " times");
    }
}
