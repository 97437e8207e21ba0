package io.hammer2.fuse;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What programs may expect of a mount that can be written, whatever serves it. Each test is a program in a folder of its own,
 * which reads back from the server what the host has cached.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 180, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class WritableMountContract {
    private static final String PRELUDE = """
            import ctypes, errno, fcntl, mmap, os, random, shutil, socket, stat, subprocess, sys, time
            os.umask(0o022)
            os.mkdir(sys.argv[1])
            os.chdir(sys.argv[1])
            libc = ctypes.CDLL(None, use_errno=True)
            def fails(number, what, *a, **k):
                try: what(*a, **k)
                except OSError as e: assert e.errno == number, (what, a, e)
                else: raise Exception("not refused", what, a)
            def call(name, *a):
                result = getattr(libc, name)(*a)
                if result < 0:
                    raise OSError(ctypes.get_errno(), name)
                return result
            def fallocate(fd, mode, offset, length):
                call("fallocate", fd, mode, ctypes.c_long(offset), ctypes.c_long(length))
            def renameat2(old, new, flags):
                call("renameat2", -100, old.encode(), -100, new.encode(), flags)
            def put(path, data, flags=os.O_CREAT | os.O_WRONLY | os.O_TRUNC):
                fd = os.open(path, flags, 0o666)
                at = 0
                while at < len(data):
                    at += os.write(fd, data[at:])
                os.close(fd)
            def get(path):
                # From the server: the host's cache is dropped first.
                fd = os.open(path, os.O_RDONLY)
                os.fsync(fd)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                data = b""
                while True:
                    piece = os.read(fd, 1 << 20)
                    if not piece: break
                    data += piece
                os.close(fd)
                return data
            def pattern(size, seed=1):
                return random.Random(seed).randbytes(size)
            def as_nobody(body): as_user(65534, body)
            def as_user(uid, body):
                pid = os.fork()
                if pid == 0:
                    code = 1
                    try:
                        os.setgroups([])
                        os.setgid(uid)
                        os.setuid(uid)
                        body()
                        code = 0
                    except BaseException as e:
                        print(repr(e), flush=True)
                    os._exit(code)
                assert os.waitpid(pid, 0)[1] == 0
            """;

    @TempDir
    protected static Path work;

    protected Lwkt lwkt;
    protected Path root;
    protected FuseMount mount;

    protected abstract FuseTransport transport();

    /** What is mounted; called once. */
    protected abstract FuseOperations operations(Lwkt runtime) throws Exception;

    /** After the end of the mount. */
    protected void ended() throws Exception {}

    private boolean isKernel() {
        return transport().name().equals("kernel");
    }

    @BeforeAll
    void mountOnce() throws Exception {
        assumeTrue(Shell.run("id", "-u").output().trim().equals("0"), "needs to be root");
        lwkt = Lwkt.dedicated(2);
        Shell.run("chmod", "755", work.toString()).succeeded();
        root = Files.createDirectories(work.resolve(getClass().getSimpleName()));
        FuseMountOptions.Builder options =
                FuseMountOptions.builder("writable@TEST").readOnly(false).allowOther(true);
        assertTrue(options.option("suid"));
        mount = transport().mount(lwkt, root, operations(lwkt), options.build());
    }

    @AfterAll
    void unmountAtLast() throws Exception {
        if (mount != null) {
            mount.close();
            Shell.unmountByForce(root);
        }
        try {
            ended();
        } finally {
            if (lwkt != null) {
                lwkt.close();
            }
        }
    }

    /** Runs a program whose current directory is an empty one on the mount. */
    protected void good(TestInfo test, String program) {
        String folder =
                root.resolve(test.getTestMethod().orElseThrow().getName()).toString();
        Shell.Result result = Shell.python(PRELUDE + program + "\nprint('good')\n", folder);
        assertTrue(result.output().endsWith("good\n"), result.output());
    }

    @Test
    void the_mount_is_writable_and_permissions_are_the_kernels(TestInfo test) throws IOException {
        String line = Shell.mountLine(root);
        assertTrue(line.contains(" fuse.hammer2 rw,"), line);
        assertTrue(line.contains("default_permissions"), line);
        good(test, """
                put("mine", b"x")
                os.chmod("mine", 0o600)
                def refused():
                    fails(errno.EACCES, open, "mine")
                    fails(errno.EACCES, put, "other", b"")
                    fails(errno.EACCES, os.unlink, "mine")
                    fails(errno.EPERM, os.chmod, "mine", 0o777)
                as_nobody(refused)
                """);
    }

    @Test
    void files_of_every_size_are_read_back_as_they_were_written(TestInfo test) {
        good(test, """
                sizes = [0, 1, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 5000000]
                for size in sizes:
                    put("f%d" % size, pattern(size, size))
                for size in sizes:
                    assert os.stat("f%d" % size).st_size == size
                    assert get("f%d" % size) == pattern(size, size), size
                assert sorted(os.listdir(".")) == sorted("f%d" % s for s in sizes)
                """);
    }

    @Test
    void writes_at_any_place_are_read_back(TestInfo test) {
        good(test, """
                rng, want = random.Random(7), bytearray()
                fd = os.open("f", os.O_CREAT | os.O_RDWR)
                for i in range(400):
                    at, piece = rng.randrange(3000000), rng.randbytes(rng.choice([1, 100, 4096, 70000]))
                    if at > len(want): want += bytes(at - len(want))
                    want[at:at + len(piece)] = piece
                    assert os.pwrite(fd, piece, at) == len(piece)
                    if i % 50 == 0:
                        end = rng.randrange(3000000)
                        os.ftruncate(fd, end)
                        want = want[:end] + bytes(end - len(want[:end]))
                assert os.pread(fd, len(want) + 1, 0) == want
                os.close(fd)
                assert get("f") == want
                """);
    }

    @Test
    void a_file_opened_only_for_writing_is_changed_in_the_middle_of_a_page(TestInfo test) {
        good(test, """
                put("f", pattern(10000))
                get("f")
                fd = os.open("f", os.O_WRONLY)
                os.pwrite(fd, b"middle", 5000)
                os.close(fd)
                want = bytearray(pattern(10000))
                want[5000:5006] = b"middle"
                assert get("f") == want
                """);
    }

    @Test
    void appends_of_several_writers_do_not_overwrite_each_other(TestInfo test) {
        good(test, """
                fds = [os.open("f", os.O_CREAT | os.O_WRONLY | os.O_APPEND) for i in range(3)]
                want = b""
                for i in range(300):
                    piece = bytes([i % 251]) * (i % 97 + 1)
                    os.write(fds[i % 3], piece)
                    want += piece
                for fd in fds: os.close(fd)
                assert get("f") == want
                for i in range(4):
                    if os.fork() == 0:
                        for j in range(50):
                            with open("shared", "a") as f: f.write("%d %d\\n" % (i, j))
                        os._exit(0)
                for i in range(4): assert os.wait()[1] == 0
                lines = get("shared").decode().splitlines()
                assert sorted(lines) == sorted("%d %d" % (i, j) for i in range(4) for j in range(50)), len(lines)
                """);
    }

    @Test
    void creating_what_is_there_and_truncating_at_open(TestInfo test) {
        good(test, """
                put("f", b"some content")
                fails(errno.EEXIST, os.open, "f", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
                fails(errno.EEXIST, os.mkdir, "f")
                fails(errno.EEXIST, os.symlink, "x", "f")
                fails(errno.EEXIST, os.mknod, "f")
                fails(errno.ENOENT, open, "none/f", "w")
                fails(errno.ENOTDIR, open, "f/g", "w")
                fails(errno.ENAMETOOLONG, open, "x" * 256, "w")
                put("x" * 255, b"long")
                before = os.stat("f").st_ino
                put("f", b"less")
                assert get("f") == b"less" and os.stat("f").st_ino == before
                os.close(os.open("f", os.O_RDWR | os.O_TRUNC))
                assert os.stat("f").st_size == 0 and get("f") == b""
                put("Füße-日本", b"1")
                assert os.listdir(b".").count("Füße-日本".encode()) == 1
                fd = os.open("mode", os.O_CREAT | os.O_WRONLY, 0o6777)
                assert stat.S_IMODE(os.fstat(fd).st_mode) == 0o6755, "less the umask"
                """);
    }

    @Test
    void truncation_leaves_nothing_behind_and_zeros_in_front(TestInfo test) {
        good(test, """
                for size, to in [(100, 0), (100000, 1), (200000, 65536), (200000, 65537), (10, 300000), (65536, 65536)]:
                    put("f", pattern(size))
                    os.truncate("f", to)
                    assert os.stat("f").st_size == to
                    assert get("f") == pattern(size)[:to] + bytes(max(0, to - size)), (size, to)
                    os.truncate("f", to + 5000)
                    assert get("f") == pattern(size)[:to] + bytes(max(0, to - size) + 5000), (size, to)
                fd = os.open("f", os.O_RDWR)
                os.unlink("f")
                os.ftruncate(fd, 77)
                assert os.fstat(fd).st_size == 77
                """);
    }

    @Test
    void hard_links_are_one_file(TestInfo test) {
        good(test, """
                put("a", b"one")
                os.mkdir("d")
                os.link("a", "b")
                os.link("b", "d/c")
                assert [os.stat(p).st_nlink for p in ("a", "b", "d/c")] == [3, 3, 3]
                assert len({os.stat(p).st_ino for p in ("a", "b", "d/c")}) == 1
                put("b", b"two")
                assert get("a") == get("d/c") == b"two"
                os.unlink("a")
                os.unlink("b")
                assert os.stat("d/c").st_nlink == 1 and get("d/c") == b"two"
                fails(errno.EPERM, os.link, "d", "dd")
                fails(errno.EEXIST, os.link, "d/c", "d")
                os.symlink("d/c", "soft")
                os.link("soft", "soft2", follow_symlinks=False)
                assert os.readlink("soft2") == "d/c"
                """);
    }

    @Test
    void symbolic_links_of_every_length_lead_where_they_point(TestInfo test) {
        good(test, """
                for size in (1, 511, 512, 513, 4000, 4095):
                    os.symlink("t" * size, "l%d" % size)
                    assert os.readlink("l%d" % size) == "t" * size
                    s = os.lstat("l%d" % size)
                    assert stat.S_ISLNK(s.st_mode) and s.st_size == size
                put("target", b"there")
                os.symlink("target", "link")
                assert get("link") == b"there"
                os.unlink("link")
                assert get("target") == b"there"
                """);
    }

    @Test
    void what_is_open_lives_on_without_a_name(TestInfo test) {
        good(test, """
                put("f", pattern(100000))
                fd = os.open("f", os.O_RDWR)
                os.unlink("f")
                fails(errno.ENOENT, os.stat, "f")
                put("f", b"another")
                os.pwrite(fd, b"still", 99998)
                assert os.fstat(fd).st_size == 100003
                os.fsync(fd)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                assert os.pread(fd, 200000, 0) == pattern(100000)[:99998] + b"still"
                os.close(fd)
                assert get("f") == b"another"
                os.mkdir("d")
                here = os.open("d", os.O_RDONLY)
                os.rmdir("d")
                fails(errno.ENOENT, os.open, "new", os.O_CREAT | os.O_WRONLY, dir_fd=here)
                os.close(here)
                """);
    }

    @Test
    void directories_are_removed_when_they_are_empty(TestInfo test) {
        good(test, """
                os.makedirs("a/b/c")
                fails(errno.ENOTEMPTY, os.rmdir, "a/b")
                put("file", b"")
                fails(errno.ENOTDIR, os.rmdir, "file")
                fails(errno.EISDIR, os.unlink, "a")
                fails(errno.ENOENT, os.rmdir, "none")
                os.removedirs("a/b/c")
                assert os.listdir(".") == ["file"]
                """);
    }

    @Test
    void a_rename_moves_and_replaces(TestInfo test) {
        good(test, """
                put("f", b"f"); put("g", b"g")
                inode = os.stat("f").st_ino
                os.rename("f", "f2")
                assert get("f2") == b"f" and not os.path.exists("f")
                os.rename("f2", "g")
                assert get("g") == b"f"
                os.makedirs("d1/sub"); os.mkdir("d2"); put("d1/sub/x", b"x")
                os.rename("g", "d1/g")
                os.rename("d1", "d3")
                assert get("d3/g") == b"f" and get("d3/sub/x") == b"x"
                os.rename("d3/sub", "d2/sub")
                assert get("d2/sub/x") == b"x" and os.listdir("d2") == ["sub"]
                assert os.path.samefile("d2/sub/..", "d2")
                os.mkdir("d4")
                os.rename("d2", "d4")
                assert get("d4/sub/x") == b"x"
                fails(errno.ENOTEMPTY, os.rename, "d3", "d4")
                fails(errno.EINVAL, os.rename, "d4", "d4/sub/y")
                fails(errno.ENOTDIR, os.rename, "d4", "d3/g")
                fails(errno.EISDIR, os.rename, "d3/g", "d4")
                fails(errno.ENOENT, os.rename, "none", "x")
                fd = os.open("d3/g", os.O_RDWR)
                put("h", b"h")
                os.rename("h", "d3/g")
                os.write(fd, b"old")
                assert os.pread(fd, 10, 0) == b"old" and get("d3/g") == b"h"
                """);
    }

    @Test
    void a_rename_keeps_or_exchanges_what_is_there(TestInfo test) {
        assumeTrue(isKernel());
        good(test, """
                put("a", b"a"); put("b", b"b"); os.mkdir("d"); put("d/in", b"in")
                fails(errno.EEXIST, renameat2, "a", "b", 1)
                renameat2("a", "c", 1)
                assert get("c") == b"a" and not os.path.exists("a")
                renameat2("b", "c", 2)
                assert get("b") == b"a" and get("c") == b"b"
                renameat2("d", "b", 2)
                assert get("d") == b"a" and get("b/in") == b"in"
                fails(errno.ENOENT, renameat2, "b", "none", 2)
                fails(errno.EINVAL, renameat2, "c", "d", 4)
                """);
    }

    @Test
    void attributes_are_what_they_were_set_to(TestInfo test) {
        good(test, """
                put("f", b"12345")
                for mode in (0, 0o777, 0o6751, 0o1644, 0o640):
                    os.chmod("f", mode)
                    assert stat.S_IMODE(os.stat("f").st_mode) == mode, oct(mode)
                os.chown("f", 12, 34)
                assert (os.stat("f").st_uid, os.stat("f").st_gid) == (12, 34)
                os.chown("f", -1, 56)
                assert (os.stat("f").st_uid, os.stat("f").st_gid) == (12, 56)
                os.utime("f", ns=(1234567890123456000, 987654321987654000))
                s = os.stat("f")
                assert (s.st_atime_ns, s.st_mtime_ns) == (1234567890123456000, 987654321987654000), s
                assert abs(s.st_ctime - time.time()) < 60
                OMIT, NOW = (1 << 30) - 2, (1 << 30) - 1
                def utimensat(*nanos):
                    times = (ctypes.c_long * 4)(5, nanos[0], 5, nanos[1])
                    call("utimensat", -100, b"f", times, 0)
                utimensat(OMIT, 1000)
                assert os.stat("f").st_atime_ns == 1234567890123456000 and os.stat("f").st_mtime_ns == 5000001000
                utimensat(NOW, OMIT)
                assert abs(os.stat("f").st_atime - time.time()) < 60 and os.stat("f").st_mtime_ns == 5000001000
                utimensat(OMIT, NOW)
                assert abs(os.stat("f").st_mtime - time.time()) < 60
                os.mkdir("d")
                os.chmod("d", 0o1777)
                assert stat.S_IMODE(os.stat("d").st_mode) == 0o1777
                """);
    }

    @Test
    void times_follow_what_is_done(TestInfo test) {
        good(test, """
                put("f", b"x"); os.mkdir("d")
                for change in (lambda: put("f", b"yy"), lambda: os.truncate("f", 1), lambda: put("f", b"z", os.O_WRONLY)):
                    os.utime("f", (0, 0))
                    change()
                    assert abs(os.stat("f").st_mtime - time.time()) < 60, os.stat("f")
                    get("f")
                    assert abs(os.stat("f").st_mtime - time.time()) < 60, os.stat("f")
                os.utime("f", (7, 7))
                get("f")
                assert os.stat("f").st_mtime == 7
                for change in (lambda: put("d/x", b""), lambda: os.rename("d/x", "d/y"), lambda: os.unlink("d/y")):
                    os.utime("d", (0, 0))
                    change()
                    assert abs(os.stat("d").st_mtime - time.time()) < 60
                """);
    }

    @Test
    void set_id_bits_go_when_others_write_or_the_owner_changes(TestInfo test) {
        good(test, """
                def fresh():
                    put("f", b"12345678")
                    os.chown("f", 0, 0)
                    os.chmod("f", 0o6777)
                def mode(): return stat.S_IMODE(os.stat("f").st_mode)
                fresh()
                as_nobody(lambda: put("f", b"new", os.O_WRONLY))
                assert mode() == 0o777, oct(mode())
                fresh()
                as_nobody(lambda: os.truncate("f", 3))
                assert mode() == 0o777, oct(mode())
                fresh()
                as_nobody(lambda: put("f", b"", os.O_WRONLY | os.O_TRUNC))
                assert mode() == 0o777, oct(mode())
                fresh()
                os.chown("f", 1, 1)
                assert mode() == 0o777, oct(mode())
                fresh()
                put("f", b"root may", os.O_WRONLY)
                assert get("f") == b"root may" and mode() == 0o6777, oct(mode())
                """);
    }

    @Test
    void files_belong_to_who_makes_them(TestInfo test) {
        good(test, """
                os.chmod(".", 0o777)
                def make():
                    put("f", b""); os.mkdir("d"); os.symlink("x", "l"); os.mkfifo("p")
                as_nobody(make)
                for name in "fdlp":
                    s = os.lstat(name)
                    assert (s.st_uid, s.st_gid) == (65534, 65534), (name, s)
                """);
    }

    @Test
    void device_nodes_fifos_and_sockets_are_made(TestInfo test) {
        good(test, """
                os.mknod("c", 0o600 | stat.S_IFCHR, os.makedev(0x123, 0x45678))
                os.mknod("b", 0o640 | stat.S_IFBLK, os.makedev(8, 1))
                os.mkfifo("p", 0o620)
                socket.socket(socket.AF_UNIX).bind("s")
                os.mknod("f", 0o600 | stat.S_IFREG)
                c, b = os.stat("c"), os.stat("b")
                assert stat.S_ISCHR(c.st_mode) and (os.major(c.st_rdev), os.minor(c.st_rdev)) == (0x123, 0x45678)
                assert stat.S_ISBLK(b.st_mode) and (os.major(b.st_rdev), os.minor(b.st_rdev)) == (8, 1)
                assert stat.S_ISFIFO(os.stat("p").st_mode) and stat.S_ISSOCK(os.stat("s").st_mode)
                assert stat.S_ISREG(os.stat("f").st_mode)
                if os.fork() == 0:
                    put("p", b"through", os.O_WRONLY)
                    os._exit(0)
                with open("p", "rb") as p: assert p.read() == b"through"
                os.wait()
                """);
    }

    @Test
    void ranges_are_allocated_punched_and_zeroed(TestInfo test) {
        good(test, """
                data = pattern(300000)
                put("f", data)
                fd = os.open("f", os.O_RDWR)
                fallocate(fd, 1, 0, 500000)
                assert os.fstat(fd).st_size == 300000
                fallocate(fd, 0, 290000, 20000)
                assert os.fstat(fd).st_size == 310000
                want = bytearray(data + bytes(10000))
                fallocate(fd, 3, 1000, 150000)
                want[1000:151000] = bytes(150000)
                assert get("f") == want
                fallocate(fd, 0x10, 200000, 120000)
                want[200000:] = bytes(120000)
                assert get("f") == want
                fallocate(fd, 0x11, 100, 20)
                want[100:120] = bytes(20)
                assert get("f") == want and os.fstat(fd).st_size == 320000
                fails(errno.EINVAL, fallocate, fd, 0, 0, 0)
                fails(errno.EOPNOTSUPP, fallocate, fd, 8, 0, 65536)
                """);
    }

    @Test
    void a_range_is_copied_within_the_file_system(TestInfo test) {
        good(test, """
                data = pattern(5 << 20)
                put("from", data)
                put("to", b"")
                a, b = os.open("from", os.O_RDONLY), os.open("to", os.O_RDWR)
                at = 0
                while at < len(data):
                    n = os.copy_file_range(a, b, len(data) - at, at, at)
                    assert n > 0
                    at += n
                assert os.copy_file_range(a, b, 1000, at, at) == 0
                assert get("to") == data
                assert os.copy_file_range(a, b, 1000, 12345, 54321) == 1000
                want = bytearray(data)
                want[54321:55321] = data[12345:13345]
                assert get("to") == want
                assert subprocess.run(["cp", "from", "third"]).returncode == 0 and get("third") == data
                """);
    }

    @Test
    void a_temporary_file_without_a_name_can_be_given_one(TestInfo test) {
        assumeTrue(isKernel());
        good(test, """
                fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o640)
                assert os.listdir(".") == [] and os.fstat(fd).st_nlink == 0
                os.write(fd, pattern(100000))
                call("linkat", -100, b"/proc/self/fd/%d" % fd, -100, b"named", 0x400)
                assert os.stat("named").st_nlink == 1 and stat.S_IMODE(os.stat("named").st_mode) == 0o640
                os.close(fd)
                assert get("named") == pattern(100000)
                other = os.open(".", os.O_TMPFILE | os.O_RDWR)
                os.write(other, b"gone")
                assert os.pread(other, 10, 0) == b"gone"
                os.close(other)
                assert os.listdir(".") == ["named"]
                """);
    }

    @Test
    void flags_are_shown_kept_and_heeded(TestInfo test) {
        good(test, """
                def flags(path):
                    fd = os.open(path, os.O_RDONLY)
                    value = bytearray(8)
                    fcntl.ioctl(fd, 0x80086601, value, True)
                    os.close(fd)
                    return int.from_bytes(value[:4], "little")
                def chattr(change, path):
                    done = subprocess.run(["chattr", change, path], capture_output=True, text=True)
                    assert done.returncode == 0, done
                put("f", b"x"); os.mkdir("d")
                for path in ("f", "d"):
                    assert flags(path) == 0
                    chattr("+d", path)
                    assert flags(path) == 0x40
                    chattr("-d", path)
                    assert flags(path) == 0
                put("sealed", b"x")
                chattr("+i", "sealed")
                assert flags("sealed") == 0x10
                fails(errno.EPERM, os.unlink, "sealed")
                fails(errno.EPERM, os.rename, "sealed", "other")
                fails(errno.EPERM, os.chmod, "sealed", 0o777)
                chattr("-i", "sealed")
                os.unlink("sealed")
                assert subprocess.run(["chattr", "+E", "f"], capture_output=True).returncode != 0
                """);
    }

    @Test
    void a_shared_mapping_is_written_back(TestInfo test) {
        good(test, """
                put("f", pattern(300000))
                with open("f", "r+b") as f:
                    m = mmap.mmap(f.fileno(), 300000)
                    m[70000:70005] = b"hello"
                    m[299999:300000] = b"!"
                    m.flush()
                    m[5:10] = b"later"
                    m.close()
                want = bytearray(pattern(300000))
                want[70000:70005] = b"hello"; want[299999] = ord("!"); want[5:10] = b"later"
                assert get("f") == want
                """);
    }

    @Test
    void locks_exclude_other_processes(TestInfo test) {
        good(test, """
                put("f", b"x")
                for lock, take in ((fcntl.lockf, fcntl.LOCK_EX), (fcntl.flock, fcntl.LOCK_EX)):
                    f = open("f", "r+b")
                    lock(f, take)
                    pid = os.fork()
                    if pid == 0:
                        g = open("f", "r+b")
                        try: lock(g, take | fcntl.LOCK_NB)
                        except OSError: os._exit(0)
                        os._exit(1)
                    assert os.waitpid(pid, 0)[1] == 0
                    f.close()
                """);
    }

    @Test
    void what_is_synced_returns_when_it_is(TestInfo test) {
        good(test, """
                fd = os.open("f", os.O_CREAT | os.O_RDWR)
                os.write(fd, pattern(100000))
                os.fsync(fd)
                os.write(fd, b"more")
                os.fdatasync(fd)
                here = os.open(".", os.O_RDONLY)
                os.fsync(here)
                call("syncfs", here)
                put("sync", b"each", os.O_CREAT | os.O_WRONLY | os.O_SYNC)
                assert get("sync") == b"each"
                """);
    }

    @Test
    void direct_writes_and_cached_reads_agree(TestInfo test) {
        assumeTrue(isKernel());
        good(test, """
                fd = os.open("f", os.O_CREAT | os.O_RDWR | os.O_DIRECT)
                buffer = mmap.mmap(-1, 1 << 20)
                for i in range(4):
                    buffer[:] = pattern(1 << 20, i)
                    assert os.pwrite(fd, buffer, i << 20) == 1 << 20
                other = os.open("f", os.O_RDWR)
                assert os.pread(other, 4 << 20, 0) == b"".join(pattern(1 << 20, i) for i in range(4))
                os.pwrite(other, b"cached", 5000)
                assert os.preadv(fd, [buffer], 0) == 1 << 20
                assert buffer[5000:5006] == b"cached"
                """);
    }

    @Test
    void many_names_come_and_go(TestInfo test) {
        good(test, """
                for i in range(1500):
                    os.close(os.open("file-%d" % i, os.O_CREAT | os.O_WRONLY))
                assert set(os.listdir(".")) == {"file-%d" % i for i in range(1500)}
                for i in range(0, 1500, 2):
                    os.rename("file-%d" % i, "renamed-%d" % i)
                seen = 0
                with os.scandir(".") as entries:
                    for entry in entries:
                        os.unlink(entry.name)
                        seen += 1
                assert seen == 1500, seen
                assert os.listdir(".") == []
                os.makedirs("t/" + "/".join("d%d" % i for i in range(50)))
                for i in range(300): put("t/d0/f%d" % i, b"x" * i)
                shutil.copytree("t", "u")
                assert subprocess.run(["diff", "-r", "t", "u"]).returncode == 0
                shutil.rmtree("t"); shutil.rmtree("u")
                assert os.listdir(".") == []
                """);
    }

    @Test
    void several_processes_at_once_get_in_nobodys_way(TestInfo test) {
        good(test, """
                for p in range(4):
                    if os.fork() == 0:
                        code = 1
                        try:
                            rng = random.Random(p)
                            os.mkdir("p%d" % p)
                            for i in range(120):
                                name = "p%d/f%d" % (p, i)
                                put(name + ".new", rng.randbytes(rng.randrange(50000)))
                                os.rename(name + ".new", name)
                                if i % 3 == 0: os.unlink(name)
                                if i % 10 == 0: os.close(os.open("common-%d" % i, os.O_CREAT | os.O_WRONLY))
                            code = 0
                        finally:
                            os._exit(code)
                for p in range(4): assert os.wait()[1] == 0
                for p in range(4):
                    rng = random.Random(p)
                    for i in range(120):
                        data = rng.randbytes(rng.randrange(50000))
                        name = "p%d/f%d" % (p, i)
                        if i % 3: assert get(name) == data, name
                        else: assert not os.path.exists(name)
                """);
    }

    @Test
    void statfs_answers_while_files_are_written(TestInfo test) {
        good(test, """
                put("f", pattern(1 << 20))
                s = os.statvfs(".")
                assert s.f_bfree <= s.f_blocks and s.f_namemax == 255
                """);
    }
}
