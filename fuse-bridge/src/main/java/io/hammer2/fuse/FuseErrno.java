package io.hammer2.fuse;

import java.util.Locale;

/**
 * The errors a FUSE operation can end in. The only place where an error has a number, because Linux and macOS disagree on half
 * of them.
 */
public enum FuseErrno {
    EPERM(1, 1),
    ENOENT(2, 2),
    EINTR(4, 4),
    EIO(5, 5),
    ENXIO(6, 6),
    E2BIG(7, 7),
    EBADF(9, 9),
    EAGAIN(11, 35),
    ENOMEM(12, 12),
    EACCES(13, 13),
    EBUSY(16, 16),
    EEXIST(17, 17),
    EXDEV(18, 18),
    ENODEV(19, 19),
    ENOTDIR(20, 20),
    EISDIR(21, 21),
    EINVAL(22, 22),
    ENOTTY(25, 25),
    ETXTBSY(26, 26),
    EFBIG(27, 27),
    ENOSPC(28, 28),
    EROFS(30, 30),
    EMLINK(31, 31),
    ERANGE(34, 34),
    ENAMETOOLONG(36, 63),
    ENOSYS(38, 78),
    ENOTEMPTY(39, 66),
    ELOOP(40, 62),
    ENODATA(61, 96),
    EPROTO(71, 100),
    EOVERFLOW(75, 84),
    ENOTSUP(95, 45),
    ENOTCONN(107, 57),
    ESTALE(116, 70),
    EDQUOT(122, 69);

    private static final boolean MACOS =
            System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("mac");

    private final int linux;
    private final int macos;

    FuseErrno(int linux, int macos) {
        this.linux = linux;
        this.macos = macos;
    }

    /** The number on Linux, positive. */
    public int linux() {
        return linux;
    }

    /** The number on macOS, positive. */
    public int macos() {
        return macos;
    }

    /** The number on the system this runs on, positive. */
    public int number() {
        return MACOS ? macos : linux;
    }

    /** The one exception of this error: shared and without a stack trace, so that an answer costs no allocation. */
    public FuseException exception() {
        return FuseException.of(this);
    }
}
