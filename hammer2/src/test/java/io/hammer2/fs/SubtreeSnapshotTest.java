package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.fsck.FsckResult;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fs.pfs.SubtreeCopy;
import io.hammer2.fs.testing.SteppedVolume;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Message;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Directories that become PFSs of their own, with the checker after each life of the volume. */
final class SubtreeSnapshotTest {
    private static final long VOLUME_BYTES = 192L << 20;
    private static final long ROOT = FileSystem.ROOT_INUM;
    private static final SubtreeCopy.Pace SLOW = new SubtreeCopy.Pace(100, 40, 30);

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

    private FsckResult close() throws Exception {
        stepped.unmount();
        return stepped.checked();
    }

    private <T> T on(Callable<T> body) throws Exception {
        return stepped.on(body);
    }

    private static MemorySegment bytes(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    private SubtreeSnapshot begin(long directory, String label, SubtreeCopy.Pace pace) throws Exception {
        return on(() -> volume.pfss()
                .beginSubtree(new PfsControl.SubtreeRequest(
                        Label.of("DATA"), directory, Label.of(label), new PfsChange.Ids(uuid(), uuid()), pace)));
    }

    private void finish(SubtreeSnapshot making) throws Exception {
        while (!on(making::step)) {}
    }

    private void refused(Errno errno, Callable<?> what) {
        FsException e = assertThrows(FsException.class, what::call);
        assertEquals(errno, e.errno(), e.getMessage());
    }

    private long directory(FileSystem files, long parent, String name) throws Exception {
        return on(() -> files.create(parent, bytes(name), NewInode.of(FileType.DIRECTORY, 0750, 7, 8))
                .inum());
    }

    private long file(FileSystem files, long parent, String name, String content) throws Exception {
        return on(() -> {
            long inum = files.create(parent, bytes(name), NewInode.of(FileType.REGULAR, 0640, 7, 8))
                    .inum();
            files.write(inum, 0, bytes(content), 0);
            return inum;
        });
    }

    private Attributes lookup(FileSystem files, String path) throws Exception {
        return on(() -> {
            Attributes at = files.attributes(ROOT);
            for (String name : path.split("/", -1)) {
                at = at == null ? null : files.lookup(at.inum(), bytes(name));
            }
            return at;
        });
    }

    private String read(FileSystem files, String path) throws Exception {
        Attributes found = lookup(files, path);
        return on(() -> {
            byte[] into = new byte[(int) found.size()];
            files.read(found.inum(), 0, MemorySegment.ofArray(into));
            return new String(into, StandardCharsets.UTF_8);
        });
    }

    private List<String> labels() throws Exception {
        return volume.pfsList().stream().map(PfsInfo::label).sorted().toList();
    }

    @Test
    void a_directory_is_the_root_of_what_is_made_and_keeps_links_below_it() throws Exception {
        long top = directory(data, ROOT, "top");
        long sub = directory(data, top, "sub");
        long inner = file(data, sub, "inner", "i".repeat(70_000));
        long direct = file(data, top, "direct", "d");
        String longName = "n".repeat(200);
        on(() -> {
            data.link(inner, top, bytes(longName));
            data.link(direct, ROOT, bytes("outside"));
            data.setAttributes(top, new AttributeChange().mode(0711).uid(42));
            data.create(sub, bytes("fifo"), NewInode.of(FileType.FIFO, 0600, 1, 1));
            return data.symlink(sub, bytes("link"), bytes("../direct"), NewInode.of(FileType.SYMLINK, 0777, 1, 1));
        });
        file(data, ROOT, "not-below", "x");
        SubtreeSnapshot making = begin(top, "top.1", SubtreeCopy.Pace.DEFAULT);
        // What happens from now on is not in it.
        on(() -> {
            data.unlink(top, bytes("direct"));
            data.write(inner, 0, bytes("changed"), 0);
            data.create(top, bytes("later"), NewInode.of(FileType.REGULAR, 0600, 1, 1));
            return null;
        });
        finish(making);
        assertNotNull(on(making::timing));
        assertEquals(6, on(making::nameCount));
        close();
        open();
        FileSystem made = volume.mount("top.1");
        Attributes root = on(() -> made.attributes(ROOT));
        assertEquals(0711, root.mode());
        assertEquals(42, root.uid());
        assertEquals("i".repeat(70_000), read(made, "sub/inner"));
        assertEquals("i".repeat(70_000), read(made, longName));
        assertEquals(2, lookup(made, "sub/inner").nlink());
        assertEquals(inner, lookup(made, longName).inum());
        assertEquals("d", read(made, "direct"));
        assertEquals(1, lookup(made, "direct").nlink());
        assertEquals(
                ROOT, on(() -> made.lookup(lookupHere(made, "sub"), bytes("..")).inum()));
        assertNotNull(lookup(made, "sub/link"));
        assertNotNull(lookup(made, "sub/fifo"));
        assertNull(lookup(made, "later"));
        assertNull(lookup(made, "outside"));
        PfsInfo info = on(() -> volume.pfss().find(Label.of("top.1")));
        assertTrue(info.isSnapshot());
        // It is a PFS like any other: it can be written, copied, and taken as what another is rolled back to.
        long added = file(made, ROOT, "added", "a");
        assertTrue(added > inner);
        made.unmount();
        on(() -> volume.pfss()
                .change(List.of(
                        new PfsChange.Snapshot(
                                Label.of("top.1"), Label.of("top.2"), false, new PfsChange.Ids(uuid(), uuid())),
                        new PfsChange.Rollback(Label.of("LOCAL"), Label.of("top.1"), false))));
        FileSystem copy = volume.mount("LOCAL");
        assertEquals("a", read(copy, "added"));
    }

    private static long lookupHere(FileSystem files, String name) {
        return files.lookup(ROOT, bytes(name)).inum();
    }

    @Test
    void many_names_in_many_batches_are_all_there_and_all_space_comes_back() throws Exception {
        Set<String> paths = new HashSet<>();
        List<Long> directories = new ArrayList<>(List.of(directory(data, ROOT, "top")));
        List<String> names = new ArrayList<>(List.of(""));
        List<Long> files = new ArrayList<>();
        for (int i = 0; i < 1500; i++) {
            int in = random.nextInt(directories.size());
            String path = names.get(in) + "e" + i;
            int kind = random.nextInt(10);
            if (kind == 0) {
                directories.add(directory(data, directories.get(in), "e" + i));
                names.add(path + "/");
            } else if (kind < 3 && !files.isEmpty()) {
                long target = files.get(random.nextInt(files.size()));
                long parent = directories.get(in);
                String name = "e" + i;
                on(() -> data.link(target, parent, bytes(name)));
            } else {
                files.add(file(data, directories.get(in), "e" + i, "content of " + i));
            }
            paths.add(path);
        }
        SubtreeSnapshot making = begin(directories.getFirst(), "many", SLOW);
        int steps = 0;
        while (!on(making::step)) {
            // What is held and what is written must survive it.
            if (++steps % 16 == 0) {
                file(data, ROOT, "beside" + steps, "x".repeat(3000));
                volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            }
        }
        assertTrue(steps > 60, steps + " steps");
        assertEquals(paths.size(), on(making::nameCount));
        FileSystem made = volume.mount("many");
        for (String path : paths) {
            Attributes there = lookup(made, path);
            assertEquals(lookup(data, "top/" + path).nlink(), there.nlink(), path);
            if (there.type() == FileType.REGULAR) {
                assertEquals(read(data, "top/" + path), read(made, path));
            }
        }
        made.unmount();
        on(() -> volume.pfss().change(List.of(new PfsChange.Delete(Label.of("many")))));
        assertExactAfterBulkfree();
    }

    private void assertExactAfterBulkfree() throws Exception {
        volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
        volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
        FsckResult.FreemapReport freemap = close().freemap();
        assertEquals(0, freemap.unreferencedCount());
        assertEquals(0, freemap.unreferencedStagedCount());
        assertEquals(0, freemap.stagedCount());
        open();
    }

    @Test
    void what_is_given_up_leaves_nothing_behind() throws Exception {
        long top = directory(data, ROOT, "top");
        for (int i = 0; i < 300; i++) {
            file(data, top, "f" + i, "x".repeat(700));
        }
        SubtreeSnapshot making = begin(top, "closed", SLOW);
        for (int i = 0; i < 8; i++) {
            assertFalse(on(making::step));
        }
        on(() -> {
            making.close();
            return null;
        });
        refused(Errno.ESTALE, () -> on(making::step));
        // As an administrator's command does that was interrupted.
        SubtreeSnapshot forgotten = begin(top, "forgotten", SLOW);
        assertFalse(on(forgotten::step));
        on(() -> {
            Message<Void> later = new Message<>();
            Cpu.current().after(TimeUnit.MINUTES.toNanos(2), () -> later.reply(null));
            return later.await();
        });
        refused(Errno.ESTALE, () -> on(forgotten::step));
        assertEquals(List.of("DATA", "LOCAL"), labels());
        assertExactAfterBulkfree();
        // And what the end of the volume interrupts.
        SubtreeSnapshot ended = begin(lookup(data, "top").inum(), "ended", SLOW);
        assertFalse(on(ended::step));
        close();
        open();
        assertEquals(List.of("DATA", "LOCAL"), labels());
    }

    @Test
    void an_empty_directory_makes_an_empty_pfs() throws Exception {
        finish(begin(directory(data, ROOT, "top"), "empty", SLOW));
        FileSystem made = volume.mount("empty");
        List<String> names = new ArrayList<>();
        on(() -> {
            made.readdir(ROOT, 0, (inum, type, name, next) -> names.add("" + inum));
            return null;
        });
        assertEquals(List.of("1", "1"), names);
    }

    @Test
    void of_what_is_not_mounted_it_is_made_as_well() throws Exception {
        long top = directory(data, ROOT, "top");
        file(data, top, "f", "content");
        data.unmount();
        finish(begin(top, "made", SLOW));
        assertEquals("content", read(volume.mount("made"), "f"));
        data = volume.mount("DATA");
    }

    @Test
    void what_cannot_be_made_is_refused() throws Exception {
        long top = directory(data, ROOT, "top");
        long file = file(data, ROOT, "f", "x");
        refused(Errno.EINVAL, () -> begin(ROOT, "x", SLOW));
        refused(Errno.ENOTDIR, () -> begin(file, "x", SLOW));
        refused(Errno.ENOENT, () -> begin(99_999, "x", SLOW));
        refused(Errno.ENOENT, () -> begin(-5, "x", SLOW));
        refused(Errno.EEXIST, () -> begin(top, "LOCAL", SLOW));
        refused(Errno.EINVAL, () -> begin(top, "a/b", SLOW));
        refused(Errno.ENAMETOOLONG, () -> begin(top, "x".repeat(256), SLOW));
        SubtreeSnapshot first = begin(top, "same", SLOW);
        SubtreeSnapshot second = begin(top, "same", SLOW);
        finish(first);
        refused(Errno.EEXIST, () -> {
            finish(second);
            return null;
        });
        for (int i = 0; i < 16; i++) {
            begin(top, "many" + i, SLOW);
        }
        refused(Errno.EBUSY, () -> begin(top, "one-more", SLOW));
        assertEquals(List.of("DATA", "LOCAL", "same"), labels());
    }

    @Test
    void a_full_volume_refuses_and_stays_as_it_is() throws Exception {
        long top = directory(data, ROOT, "top");
        for (int i = 0; i < 400; i++) {
            file(data, top, "f" + i, "x");
        }
        assertThrows(FsException.class, () -> {
            for (int i = 0; ; i++) {
                long inum = file(data, ROOT, "big" + i, "");
                byte[] content = new byte[1 << 20];
                random.nextBytes(content);
                on(() -> data.write(inum, 0, MemorySegment.ofArray(content), 0));
            }
        });
        refused(Errno.ENOSPC, () -> {
            for (int i = 0; i < 1000; i++) {
                finish(begin(top, "s" + i, SubtreeCopy.Pace.DEFAULT));
            }
            return null;
        });
        assertEquals("x", read(data, "top/f7"));
    }
}
