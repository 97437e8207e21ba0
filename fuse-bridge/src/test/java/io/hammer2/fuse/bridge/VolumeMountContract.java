package io.hammer2.fuse.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.Shell;
import io.hammer2.fuse.WritableMountContract;
import io.hammer2.lwkt.Lwkt;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** A volume of ours under the contract: whole after the last test, and with the same content when it is mounted again. */
abstract class VolumeMountContract extends WritableMountContract {
    private static final long VOLUME_BYTES = 1L << 30;

    /** Who mounted it, as far as the bridge is told; not who runs the tests. */
    private static final int OWNER = 4321;

    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private Path image;
    private Hammer2 volume;

    @Override
    protected FuseOperations operations(Lwkt runtime) throws Exception {
        image = work.resolve(getClass().getSimpleName() + ".img");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(VOLUME_BYTES);
        }
        Random random = new Random(1);
        List<BlockDevice> fresh = BlockDevices.openAll(image.toString(), OpenMode.READ_WRITE);
        Newfs.format(fresh, NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
        fresh.getFirst().close();
        return open(runtime, OpenMode.READ_WRITE);
    }

    private FuseOperations open(Lwkt runtime, OpenMode mode) throws Exception {
        List<BlockDevice> devices = BlockDevices.openAll(image.toString(), mode);
        MountOptions options = mode.writes()
                ? MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add)
                : MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, log::add);
        volume = Hammer2.open(runtime, devices, options);
        return SnapshotDirectory.of(volume.mount("DATA"), OWNER, !mode.writes(), false);
    }

    @BeforeEach
    void nothing_was_logged() {
        assertEquals(List.of(), log);
    }

    @Override
    protected void ended() throws Exception {
        if (volume == null) {
            return;
        }
        volume.close();
        assertEquals(List.of(), log);
        List<BlockDevice> devices = BlockDevices.openAll(image.toString(), OpenMode.READ_ONLY);
        List<String> problems = new ArrayList<>();
        Fsck.check(devices, FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.text());
            }
        });
        devices.getFirst().close();
        assertEquals(List.of(), problems);
    }

    private static String listing(Path root) {
        // Owners, modes, sizes, times and targets of all, and what the files contain.
        return Shell.run(
                        "sh",
                        "-c",
                        "cd '" + root + "' && find . -mindepth 1 -printf '%P %y %m %U %G %n %s %T@ %i %l\\n'"
                                + " | sort && find . -type f -size -100M -exec sha256sum {} + | sort")
                .succeeded();
    }

    @Test
    void what_was_there_is_there_after_an_unmount(TestInfo test) throws Exception {
        good(test, """
                for i in range(200):
                    put("f%d" % i, pattern(i * i * 7, i))
                    os.chmod("f%d" % i, 0o600 + i % 64)
                    os.utime("f%d" % i, ns=(i * 1000, 10**18 + i * 1000))
                os.makedirs("a/b/c")
                os.symlink("a/b", "soft")
                os.link("f3", "a/hard")
                os.mknod("dev", 0o600 | stat.S_IFCHR, os.makedev(5, 300))
                with open("sparse", "wb") as f:
                    f.seek(5 << 30); f.write(b"end")
                """);
        String before = listing(root);
        assertTrue(before.lines().count() > 300, before);
        mount.close();
        volume.close();
        mount = remount(OpenMode.READ_ONLY);
        assertEquals(before, listing(root));
        mount.close();
        volume.close();
        mount = remount(OpenMode.READ_WRITE);
        assertEquals(before, listing(root));
    }

    /** As a crash right behind an umount(8) of a full path, which asks that. */
    @Test
    void what_was_closed_before_somebody_asked_for_statistics_survives_a_crash(TestInfo test) throws Exception {
        good(test, """
                for i in range(20): put("f%d" % i, pattern(i * 10007, i))
                os.statvfs(".")
                """);
        String before = listing(root);
        mount.close();
        volume.abandon();
        mount = remount(OpenMode.READ_WRITE);
        assertEquals(before, listing(root));
    }

    private FuseMount remount(OpenMode mode) throws Exception {
        FuseMountOptions.Builder options = FuseMountOptions.builder("again@TEST")
                .readOnly(!mode.writes())
                .allowOther(true)
                .log(log::add);
        assertTrue(options.option("suid"));
        return transport().mount(lwkt, root, open(lwkt, mode), options.build());
    }

    @Test
    void the_owner_of_a_directory_with_the_setgid_bit_passes_its_group_on(TestInfo test) {
        good(test, """
                os.mkdir("d")
                os.chown("d", 0, 777)
                os.chmod("d", 0o2775)
                put("d/f", b""); os.mkdir("d/e")
                assert os.stat("d/f").st_gid == 777
                assert os.stat("d/e").st_gid == 777 and os.stat("d/e").st_mode & 0o2000
                """);
    }

    @Test
    void an_append_only_file_grows_and_an_immutable_one_stays(TestInfo test) {
        good(test, """
                def chattr(change, path): assert subprocess.run(["chattr", change, path]).returncode == 0
                put("log", b"first\\n")
                chattr("+a", "log")
                fails(errno.EPERM, os.open, "log", os.O_WRONLY)
                fails(errno.EPERM, os.open, "log", os.O_WRONLY | os.O_APPEND | os.O_TRUNC)
                fails(errno.EPERM, os.truncate, "log", 0)
                with open("log", "ab") as f: f.write(b"second\\n")
                with open("log", "ab") as f:
                    f.write(b"third\\n"); f.flush(); os.fsync(f.fileno())
                assert get("log") == b"first\\nsecond\\nthird\\n"
                fails(errno.EPERM, os.unlink, "log")
                chattr("-a", "log")
                put("sealed", b"content")
                chattr("+i", "sealed")
                for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_RDONLY | os.O_TRUNC):
                    fails(errno.EPERM, os.open, "sealed", flags)
                fails(errno.EPERM, os.link, "sealed", "other")
                fails(errno.EPERM, os.utime, "sealed", (1, 1))
                fails(errno.EPERM, os.chown, "sealed", 1, 1)
                assert get("sealed") == b"content"
                chattr("-i", "sealed")
                os.unlink("sealed")
                """);
    }

    /** The control request of DragonFly, with its number and structure. */
    @Test
    void space_of_deleted_files_comes_back_when_it_is_asked_for(TestInfo test) {
        good(test, """
                import fcntl, struct
                put("kept", pattern(3 << 20, 1))
                with open("deleted", "wb") as f:
                    f.write(pattern(16 << 20, 2)); f.flush(); os.fsync(f.fileno())
                os.unlink("deleted")
                directory = os.open(".", os.O_RDONLY)
                scan = bytearray(64)
                fcntl.ioctl(directory, 0xC040685C, scan)
                sbase, sstop, memory, allocated, freed = struct.unpack("<5Q", scan[:40])
                assert sstop == 1 << 30 and allocated == 0, scan
                assert freed >= 16 << 20, freed
                assert get("kept") == pattern(3 << 20, 1)
                """);
    }

    @Test
    void only_root_and_who_mounted_it_may_change_the_volume_by_control_requests(TestInfo test) {
        good(test, """
                fd = os.open(".", os.O_RDONLY)
                def ask(number, size):
                    data = bytearray(size)
                    data[64:68] = b"none" if size == 320 else data[64:68]
                    fcntl.ioctl(fd, 0xc0000000 | size << 16 | ord("h") << 8 | number, data, True)
                CREATE, DELETE, SNAPSHOT, SET, DESTROY, EMERGENCY, GROW = 81, 82, 84, 87, 94, 95, 96
                CHILDREN, BLOCKS, SHARE = 210, 211, 212
                def may(number, size):
                    # What it asks for is impossible or changes nothing, but not forbidden.
                    try: ask(number, size)
                    except OSError as e: assert e.errno != errno.EPERM, number
                def stranger():
                    for number in (CREATE, DELETE, SNAPSHOT): fails(errno.EPERM, ask, number, 320)
                    fails(errno.EPERM, ask, SET, 1056)
                    fails(errno.EPERM, ask, DESTROY, 272)
                    fails(errno.EPERM, ask, EMERGENCY, 4)
                    fails(errno.EPERM, ask, GROW, 72)
                    fails(errno.EPERM, ask, CHILDREN, 16032)
                    fails(errno.EPERM, ask, BLOCKS, 16032)
                    fails(errno.EPERM, ask, SHARE, 3616)
                    ask(64, 256)
                    fails(errno.ENOENT, ask, 83, 320)
                    fails(errno.ENOTTY, ask, DELETE, 319)
                def owner():
                    may(CHILDREN, 16032)
                    may(SHARE, 3616)
                    may(DELETE, 320)
                    may(SET, 1056)
                as_user(65534, stranger)
                as_user(%d, owner)
                may(DELETE, 320)
                may(SET, 1056)
                """.formatted(OWNER));
    }

    /** With DragonFly's numbers and structures, and with ours for several at once. */
    @Test
    void pfss_are_made_looked_up_copied_and_deleted_by_control_requests(TestInfo test) {
        good(test, """
                import struct, uuid
                fd = os.open(".", os.O_RDONLY)
                def ask(number, data):
                    fcntl.ioctl(fd, 0xc0000000 | len(data) << 16 | ord("h") << 8 | number, data, True)
                    return data
                def pfs(label=b"", key=0, type=0, flags=0, fsid=bytes(16), clid=bytes(16)):
                    return bytearray(struct.pack("<QQBBxxIQ16s16s256s", key, 0, type, 0, flags, 0, fsid, clid, label))
                def fields(data):
                    key, next, type, subtype, flags, core, fsid, clid, name = struct.unpack("<QQBBxxIQ16s16s256s", data)
                    return key, next, type, subtype, core, fsid, clid, name.split(bytes(1))[0]
                def labels():
                    found, key = [], 0
                    while key != 2**64 - 1:
                        one = fields(ask(80, pfs(key=key)))
                        found.append(one[7]); key = one[1]
                    return sorted(found)
                GET, CREATE, DELETE, LOOKUP, SNAPSHOT = 80, 81, 82, 83, 84
                assert labels() == [b"DATA", b"LOCAL"]
                mine = uuid.uuid4().bytes
                made = fields(ask(CREATE, pfs(b"HOME", type=6, clid=mine)))
                assert made[2] == 6 and made[6] == mine and made[5] != bytes(16) and made[7] == b"HOME", made
                fails(errno.EEXIST, ask, CREATE, pfs(b"HOME", type=6))
                fails(errno.EINVAL, ask, CREATE, pfs(b"OTHER", type=7))
                fails(errno.EINVAL, ask, CREATE, pfs(b"x" * 256, type=6))
                fails(errno.EINVAL, ask, CREATE, pfs(b"", type=6))
                found = fields(ask(LOOKUP, pfs(b"HOME")))
                assert found[0] == made[0] and found[5:7] == made[5:7]
                put("f", b"content")
                snapped = fields(ask(SNAPSHOT, pfs(b"DATA.1")))
                assert 0 < snapped[4] < 10**9, snapped
                fails(errno.EEXIST, ask, SNAPSHOT, pfs(b"DATA.1"))
                assert fields(ask(LOOKUP, pfs(b"DATA.1")))[2:4] == (6, 1)
                assert labels() == [b"DATA", b"DATA.1", b"HOME", b"LOCAL"]
                fails(errno.EBUSY, ask, DELETE, pfs(b"DATA"))
                fails(errno.ENOENT, ask, DELETE, pfs(b"NOSUCH"))
                fails(errno.ENOENT, ask, LOOKUP, pfs(b"NOSUCH"))
                ask(DELETE, pfs(b"DATA.1"))
                assert labels() == [b"DATA", b"HOME", b"LOCAL"]

                def several(count, *names):
                    data = bytearray(struct.pack("<IIQ", count, 0, 0)) + bytearray(60 * 256)
                    for i, name in enumerate(names): data[16 + 256 * i:16 + 256 * i + len(name)] = name
                    return data
                SNAPSHOTS, DELETES, ROLLBACK = 200, 201, 202
                ask(SNAPSHOTS, several(2, b"", b"DATA.2", b"HOME", b"HOME.2"))
                fails(errno.EEXIST, ask, SNAPSHOTS, several(2, b"HOME", b"HOME.3", b"", b"DATA.2"))
                assert labels() == [b"DATA", b"DATA.2", b"HOME", b"HOME.2", b"LOCAL"]
                for count in (0, 31, 2**32 - 1): fails(errno.EINVAL, ask, SNAPSHOTS, several(count))
                for count in (0, 61, 2**31): fails(errno.EINVAL, ask, DELETES, several(count))
                ask(ROLLBACK, several(0, b"HOME", b"HOME.2")[:528])
                fails(errno.EBUSY, ask, ROLLBACK, several(0, b"DATA", b"DATA.2")[:528])
                fails(errno.EBUSY, ask, DELETES, several(3, b"HOME", b"DATA.2", b"DATA"))
                ask(DELETES, several(3, b"HOME", b"DATA.2", b"HOME.2"))
                assert labels() == [b"DATA", b"LOCAL"]
                def stranger():
                    for number, bytes in ((SNAPSHOTS, 15376), (DELETES, 15376), (ROLLBACK, 528)):
                        fails(errno.EPERM, ask, number, bytearray(bytes))
                as_user(65534, stranger)
                """);
    }
}
