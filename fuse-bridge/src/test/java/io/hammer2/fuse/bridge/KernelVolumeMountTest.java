package io.hammer2.fuse.bridge;

import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.kernel.KernelTransport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

class KernelVolumeMountTest extends VolumeMountContract {
    @Override
    protected FuseTransport transport() {
        return new KernelTransport();
    }

    /** libfuse 2.9 asks for it by its name. */
    @Test
    void an_open_directory_outlives_its_name(TestInfo test) {
        good(test, """
                os.mkdir("d")
                here = os.open("d", os.O_RDONLY | os.O_DIRECTORY)
                os.rmdir("d")
                assert os.listdir(here) == []
                assert stat.S_ISDIR(os.fstat(here).st_mode)
                fails(errno.ENOENT, os.mkdir, "x", dir_fd=here)
                os.close(here)
                """);
    }

    @Test
    void snapshots_can_be_read_in_a_hidden_directory_and_are_stale_when_they_are_deleted(TestInfo test) {
        good(test, """
                import struct
                os.chdir("..")
                others = os.listdir(".")
                fd = os.open(".", os.O_RDONLY)
                def ask(number, label):
                    data = bytearray(struct.pack("<QQBBxxIQ16s16s256s", 0, 0, 6, 0, 0, 0, bytes(16), bytes(16), label))
                    fcntl.ioctl(fd, 0xc0000000 | len(data) << 16 | ord("h") << 8 | number, data, True)
                CREATE, DELETE, SNAPSHOT = 81, 82, 84
                assert os.listdir(".snapshots") == []
                os.makedirs("d/e")
                put("f", b"old"); put("d/e/g", pattern(300000, 1)); os.symlink("d/e", "l")
                ask(SNAPSHOT, b"DATA.one")
                ask(SNAPSHOT, b"elsewhere")
                put("f", b"new"); put("d/e/g", b""); os.unlink("l")
                assert ".snapshots" not in os.listdir(".")
                assert os.listdir(".snapshots") == ["DATA.one"]
                one = ".snapshots/DATA.one/"
                assert sorted(os.listdir(one)) == sorted(others + ["d", "f", "l"])
                assert get(one + "f") == b"old" and get("f") == b"new"
                assert get(one + "l/g") == pattern(300000, 1) and get("d/e/g") == b""
                assert os.readlink(one + "l") == "d/e"
                assert os.stat(one + "f").st_ino != os.stat("f").st_ino
                assert os.stat(one + "f").st_ino & (1 << 48) - 1 == os.stat("f").st_ino
                assert os.stat(one + "..").st_ino == os.stat(".snapshots").st_ino
                assert os.stat(".snapshots/..").st_ino == os.stat(".").st_ino
                for change in (lambda: put(one + "x", b""), lambda: os.truncate(one + "f", 0), lambda: os.mkdir(one + "x"),
                        lambda: os.unlink(one + "f"), lambda: os.rename(one + "f", one + "x"), lambda: os.chmod(one + "f", 0),
                        lambda: os.mkdir(".snapshots/x"), lambda: os.rmdir(one), lambda: os.rename(one + "f", "x"),
                        lambda: os.open(one + "f", os.O_RDWR), lambda: os.utime(one + "d", (1, 1))):
                    fails(errno.EROFS, change)
                fails(errno.EXDEV, os.link, one + "f", "x")
                fails(errno.ENOENT, os.stat, ".snapshots/elsewhere")
                fails(errno.ENOENT, os.stat, ".snapshots/DATA")
                assert subprocess.run(["cp", "-a", one + "d/e/g", "back"]).returncode == 0
                assert get("back") == pattern(300000, 1)
                file = os.open(one + "d/e/g", os.O_RDONLY)
                ask(DELETE, b"DATA.one")
                fails(errno.ESTALE, os.fstat, file)
                fails(errno.ENOENT, os.stat, one + "f")
                assert os.listdir(".snapshots") == []
                os.close(file)
                ask(SNAPSHOT, b"DATA.one")
                assert get(one + "f") == b"new"
                # More than are kept open at a time.
                for i in range(20): put("n", b"%d" % i); ask(SNAPSHOT, b"DATA.n%d" % i)
                for i in range(20): assert get(".snapshots/DATA.n%d/n" % i) == b"%d" % i
                assert len(os.listdir(".snapshots")) == 21
                """);
    }
}
