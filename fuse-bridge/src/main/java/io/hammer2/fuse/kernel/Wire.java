package io.hammer2.fuse.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Offsets inside the structures of the FUSE protocol 7.31 to 7.45 (facts of Linux {@code uapi/linux/fuse.h}). Everything is in
 * the host's byte order, and each structure is padded to eight bytes. Request structures lie after the {@link In} header,
 * answers after the {@link Out} header; offsets are relative to their own structure.
 */
final class Wire {
    /** Natural alignment is not given: directory records follow a 16-byte header at any multiple of eight. */
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    static final int MAJOR = 7;

    /** The oldest kernel (5.4) and the newest protocol that this was written for. */
    static final int MINOR_MIN = 31;

    static final int MINOR_MAX = 45;

    /** What the kernel insists on for the buffer of a read(2) from /dev/fuse, besides {@code max_write}. */
    static final int REQUEST_BYTES_MIN = 8192;

    /** The shortest {@code max_write}. */
    static final int WRITE_BYTES_MIN = 4096;

    private Wire() {}

    /** Rounds up to the alignment of directory records. */
    static int align8(int bytes) {
        return (bytes + 7) & ~7;
    }

    /** {@code 0 len 4 opcode 8 unique 16 nodeid 24 uid 28 gid 32 pid 36 total_extlen,padding} */
    static final class In {
        static final int LEN = 0;
        static final int OPCODE = 4;
        static final int UNIQUE = 8;
        static final int NODE = 16;
        static final int UID = 24;
        static final int GID = 28;
        static final int PID = 32;
        static final int BYTES = 40;

        private In() {}
    }

    /** {@code 0 len 4 error (negative errno) 8 unique} */
    static final class Out {
        static final int LEN = 0;
        static final int ERROR = 4;
        static final int UNIQUE = 8;
        static final int BYTES = 16;

        private Out() {}
    }

    /** {@code 0 major 4 minor 8 max_readahead 12 flags | 7.36: 16 flags2 20 unused} */
    static final class InitIn {
        static final int MAJOR = 0;
        static final int MINOR = 4;
        static final int READ_AHEAD_MAX = 8;
        static final int FLAGS = 12;
        static final int BYTES_MIN = 16;

        private InitIn() {}
    }

    /**
     * {@code 0 major 4 minor 8 max_readahead 12 flags 16 max_background:2 18 congestion_threshold:2 20 max_write 24 time_gran
     * 28 max_pages:2 30 map_alignment:2 32 flags2 36 unused}
     */
    static final class InitOut {
        static final int MAJOR = 0;
        static final int MINOR = 4;
        static final int READ_AHEAD_MAX = 8;
        static final int FLAGS = 12;
        static final int BACKGROUND_MAX = 16;
        static final int CONGESTION_THRESHOLD = 18;
        static final int WRITE_BYTES_MAX = 20;
        static final int TIME_GRANULARITY = 24;
        static final int PAGES_MAX = 28;
        static final int FLAGS2 = 32;
        static final int BYTES = 64;

        private InitOut() {}
    }

    /** Bits of {@link InitIn#FLAGS} and {@link InitOut#FLAGS}. */
    static final class InitFlag {
        static final int ASYNC_READ = 1;
        static final int ATOMIC_O_TRUNC = 1 << 3;
        static final int EXPORT_SUPPORT = 1 << 4;
        static final int BIG_WRITES = 1 << 5;
        static final int AUTO_INVAL_DATA = 1 << 12;
        static final int DO_READDIRPLUS = 1 << 13;
        static final int READDIRPLUS_AUTO = 1 << 14;
        static final int ASYNC_DIO = 1 << 15;
        static final int WRITEBACK_CACHE = 1 << 16;
        static final int NO_OPEN_SUPPORT = 1 << 17;
        static final int PARALLEL_DIROPS = 1 << 18;
        static final int MAX_PAGES = 1 << 22;
        static final int CACHE_SYMLINKS = 1 << 23;
        static final int NO_OPENDIR_SUPPORT = 1 << 24;
        static final int EXPLICIT_INVAL_DATA = 1 << 25;
        static final int HANDLE_KILLPRIV_V2 = 1 << 28;

        private InitFlag() {}
    }

    /**
     * {@code 0 ino 8 size 16 blocks 24 atime 32 mtime 40 ctime 48 atimensec 52 mtimensec 56 ctimensec 60 mode 64 nlink 68 uid
     * 72 gid 76 rdev 80 blksize 84 flags}
     */
    static final class Attr {
        static final int INO = 0;
        static final int SIZE = 8;
        static final int BLOCKS = 16;
        static final int ATIME = 24;
        static final int MTIME = 32;
        static final int CTIME = 40;
        static final int ATIME_NANOS = 48;
        static final int MTIME_NANOS = 52;
        static final int CTIME_NANOS = 56;
        static final int MODE = 60;
        static final int NLINK = 64;
        static final int UID = 68;
        static final int GID = 72;
        static final int RDEV = 76;
        static final int BLOCK_SIZE = 80;
        static final int FLAGS = 84;
        static final int BYTES = 88;

        private Attr() {}
    }

    /** {@code 0 nodeid 8 generation 16 entry_valid 24 attr_valid 32 entry_valid_nsec 36 attr_valid_nsec 40 attr} */
    static final class EntryOut {
        static final int NODE = 0;
        static final int GENERATION = 8;
        static final int ENTRY_VALID = 16;
        static final int ATTR_VALID = 24;
        static final int ENTRY_VALID_NANOS = 32;
        static final int ATTR_VALID_NANOS = 36;
        static final int ATTR = 40;
        static final int BYTES = 128;

        private EntryOut() {}
    }

    /** {@code 0 attr_valid 8 attr_valid_nsec 12 dummy 16 attr} */
    static final class AttrOut {
        static final int VALID = 0;
        static final int VALID_NANOS = 8;
        static final int ATTR = 16;
        static final int BYTES = 104;

        private AttrOut() {}
    }

    /** {@code 0 getattr_flags 4 reserved 8 fh 16 sx_flags 20 sx_mask} */
    static final class StatxIn {
        static final int BYTES = 24;

        private StatxIn() {}
    }

    /**
     * {@code 0 attr_valid 8 attr_valid_nsec 12 flags 16 spare:16}, then from 32 a statx: {@code 0 mask 4 blksize 8 attributes 16
     * nlink 20 uid 24 gid 28 mode:2 30 spare:2 32 ino 40 size 48 blocks 56 attributes_mask 64 atime 80 btime 96 ctime 112 mtime
     * 128 rdev_major 132 rdev_minor 136 dev_major 140 dev_minor 144 spare:112}; a time is {@code 0 sec 8 nsec 12 reserved}.
     */
    static final class StatxOut {
        static final int VALID = 0;
        static final int VALID_NANOS = 8;
        static final int MASK = 32;
        static final int BLOCK_SIZE = 36;
        static final int ATTRIBUTES = 40;
        static final int NLINK = 48;
        static final int UID = 52;
        static final int GID = 56;
        static final int MODE = 60;
        static final int INO = 64;
        static final int SIZE = 72;
        static final int BLOCKS = 80;
        static final int ATTRIBUTES_MASK = 88;
        static final int ATIME = 96;
        static final int BTIME = 112;
        static final int CTIME = 128;
        static final int MTIME = 144;
        static final int RDEV_MAJOR = 160;
        static final int RDEV_MINOR = 164;
        static final int BYTES = 288;

        /** STATX_BASIC_STATS | STATX_BTIME. */
        static final int MASK_ALL = 0xfff;

        static final long ATTRIBUTE_IMMUTABLE = 0x10;
        static final long ATTRIBUTE_APPEND = 0x20;
        static final long ATTRIBUTE_NODUMP = 0x40;

        private StatxOut() {}
    }

    /** {@code 0 flags 4 open_flags (7.33; before, zero)} */
    static final class OpenIn {
        static final int FLAGS = 0;
        static final int OPEN_FLAGS = 4;
        static final int BYTES = 8;

        /** Set-id bits go with the content (O_TRUNC). */
        static final int KILL_SUIDGID = 1;

        private OpenIn() {}
    }

    /** {@code 0 fh 8 open_flags 12 padding} */
    static final class OpenOut {
        static final int HANDLE = 0;
        static final int FLAGS = 8;
        static final int BYTES = 16;

        static final int KEEP_CACHE = 2;
        static final int CACHE_DIR = 8;

        private OpenOut() {}
    }

    /** {@code 0 flags 4 mode 8 umask 12 open_flags}, then the name; of TMPFILE too, where the name says nothing. */
    static final class CreateIn {
        static final int FLAGS = 0;
        static final int MODE = 4;
        static final int OPEN_FLAGS = 12;
        static final int BYTES = 16;

        private CreateIn() {}
    }

    /** {@code 0 mode 4 rdev 8 umask 12 padding}, then the name */
    static final class MknodIn {
        static final int MODE = 0;
        static final int RDEV = 4;
        static final int BYTES = 16;

        private MknodIn() {}
    }

    /** {@code 0 mode 4 umask}, then the name */
    static final class MkdirIn {
        static final int MODE = 0;
        static final int BYTES = 8;

        private MkdirIn() {}
    }

    /** RENAME: {@code 0 newdir}; RENAME2: {@code 0 newdir 8 flags 12 padding}; then the old name and the new one. */
    static final class RenameIn {
        static final int NEW_PARENT = 0;
        static final int BYTES = 8;
        static final int FLAGS = 8;
        static final int BYTES_2 = 16;

        private RenameIn() {}
    }

    /** {@code 0 oldnodeid}, then the new name in the header's node */
    static final class LinkIn {
        static final int NODE = 0;
        static final int BYTES = 8;

        private LinkIn() {}
    }

    /**
     * {@code 0 valid 4 padding 8 fh 16 size 24 lock_owner 32 atime 40 mtime 48 ctime 56 atimensec 60 mtimensec 64 ctimensec
     * 68 mode 72 unused 76 uid 80 gid 84 unused}
     */
    static final class SetattrIn {
        static final int VALID = 0;
        static final int SIZE = 16;
        static final int ATIME = 32;
        static final int MTIME = 40;
        static final int CTIME = 48;
        static final int ATIME_NANOS = 56;
        static final int MTIME_NANOS = 60;
        static final int CTIME_NANOS = 64;
        static final int MODE = 68;
        static final int UID = 76;
        static final int GID = 80;
        static final int BYTES = 88;

        /** Bits of {@link #VALID}: FATTR_. */
        static final int HAS_MODE = 1;

        static final int HAS_UID = 1 << 1;
        static final int HAS_GID = 1 << 2;
        static final int HAS_SIZE = 1 << 3;
        static final int HAS_ATIME = 1 << 4;
        static final int HAS_MTIME = 1 << 5;
        static final int HAS_HANDLE = 1 << 6;
        static final int ATIME_NOW = 1 << 7;
        static final int MTIME_NOW = 1 << 8;
        static final int HAS_CTIME = 1 << 10;
        static final int KILL_SUIDGID = 1 << 11;

        private SetattrIn() {}
    }

    /** {@code 0 fh 8 offset 16 size 20 write_flags 24 lock_owner 32 flags 36 padding}, then the data */
    static final class WriteIn {
        static final int HANDLE = 0;
        static final int OFFSET = 8;
        static final int SIZE = 16;
        static final int WRITE_FLAGS = 20;
        static final int BYTES = 40;

        static final int KILL_SUIDGID = 4;

        private WriteIn() {}
    }

    /** {@code 0 size 4 padding} */
    static final class WriteOut {
        static final int BYTES = 8;

        private WriteOut() {}
    }

    /** {@code 0 fh 8 fsync_flags 12 padding} */
    static final class FsyncIn {
        static final int FLAGS = 8;
        static final int BYTES = 16;

        static final int DATA_ONLY = 1;

        private FsyncIn() {}
    }

    /** {@code 0 fh 8 offset 16 length 24 mode 28 padding} */
    static final class FallocateIn {
        static final int HANDLE = 0;
        static final int OFFSET = 8;
        static final int LENGTH = 16;
        static final int MODE = 24;
        static final int BYTES = 32;

        private FallocateIn() {}
    }

    /**
     * {@code 0 fh_in 8 off_in 16 nodeid_out 24 fh_out 32 off_out 40 len 48 flags}. COPY_FILE_RANGE answers {@link WriteOut},
     * COPY_FILE_RANGE_64 (7.45) {@code 0 bytes_copied:8}.
     */
    static final class CopyIn {
        static final int HANDLE = 0;
        static final int OFFSET = 8;
        static final int TO_NODE = 16;
        static final int TO_HANDLE = 24;
        static final int TO_OFFSET = 32;
        static final int LENGTH = 40;
        static final int FLAGS = 48;
        static final int BYTES = 56;

        private CopyIn() {}
    }

    /** {@code 0 fh 8 offset 16 size 20 read_flags 24 lock_owner 32 flags 36 padding} */
    static final class ReadIn {
        static final int HANDLE = 0;
        static final int OFFSET = 8;
        static final int SIZE = 16;
        static final int BYTES = 40;

        private ReadIn() {}
    }

    /** {@code 0 fh 8 flags 12 release_flags 16 lock_owner} */
    static final class ReleaseIn {
        static final int HANDLE = 0;
        static final int FLAGS = 8;
        static final int BYTES = 24;

        private ReleaseIn() {}
    }

    /**
     * {@code 0 ino 8 off 16 len}, sent unasked behind an {@link Out} whose error is the code and whose unique is 0. A length of 0
     * means to the end, a negative offset that no pages are meant.
     */
    static final class NotifyInvalInode {
        static final int CODE = 2;
        static final int NODE = 0;
        static final int OFFSET = 8;
        static final int BYTES = 24;

        private NotifyInvalInode() {}
    }

    /** {@code 0 blocks 8 bfree 16 bavail 24 files 32 ffree 40 bsize 44 namelen 48 frsize 52 padding 56 spare:24} */
    static final class StatfsOut {
        static final int BLOCKS = 0;
        static final int FREE = 8;
        static final int AVAILABLE = 16;
        static final int FILES = 24;
        static final int FILES_FREE = 32;
        static final int BLOCK_SIZE = 40;
        static final int NAME_MAX = 44;
        static final int FRAGMENT_SIZE = 48;
        static final int BYTES = 80;

        private StatfsOut() {}
    }

    /** {@code 0 mask 4 padding} */
    static final class AccessIn {
        static final int MASK = 0;
        static final int BYTES = 8;

        private AccessIn() {}
    }

    /** {@code 0 fh 8 offset 16 whence 20 padding}; the answer is the offset. */
    static final class LseekIn {
        static final int HANDLE = 0;
        static final int OFFSET = 8;
        static final int WHENCE = 16;
        static final int BYTES = 24;

        private LseekIn() {}
    }

    /** {@code 0 fh 8 flags 12 cmd 16 arg 24 in_size 28 out_size}, then the data that goes in */
    static final class IoctlIn {
        static final int COMMAND = 12;
        static final int IN_SIZE = 24;
        static final int OUT_SIZE = 28;
        static final int BYTES = 32;

        private IoctlIn() {}
    }

    /** {@code 0 result 4 flags 8 in_iovs 12 out_iovs}, then the data that comes out */
    static final class IoctlOut {
        static final int RESULT = 0;
        static final int BYTES = 16;

        private IoctlOut() {}
    }

    /** FORGET: {@code 0 nlookup}. BATCH_FORGET: {@code 0 count 4 dummy}, then records of {@code 0 nodeid 8 nlookup}. */
    static final class Forget {
        static final int LOOKUPS = 0;
        static final int BYTES = 8;
        static final int BATCH_COUNT = 0;
        static final int BATCH_BYTES = 8;
        static final int RECORD_NODE = 0;
        static final int RECORD_LOOKUPS = 8;
        static final int RECORD_BYTES = 16;

        private Forget() {}
    }

    /** {@code 0 unique} */
    static final class InterruptIn {
        static final int UNIQUE = 0;
        static final int BYTES = 8;

        private InterruptIn() {}
    }

    /** {@code 0 ino 8 off 16 namelen 20 type 24 name}, padded to eight; after an {@link EntryOut} in READDIRPLUS. */
    static final class Dirent {
        static final int INO = 0;
        static final int OFF = 8;
        static final int NAME_BYTES = 16;
        static final int TYPE = 20;
        static final int NAME = 24;

        private Dirent() {}
    }

    /** The kernel's form of a device number: 12 bits major, 20 bits minor, minor's low byte lowest. */
    static int encodeDevice(int major, int minor) {
        return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
    }

    static int deviceMajor(int encoded) {
        return encoded >>> 8 & 0xfff;
    }

    static int deviceMinor(int encoded) {
        return (encoded & 0xff) | (encoded >>> 12 & 0xfff00);
    }

    static int getInt(MemorySegment segment, long offset) {
        return segment.get(INT, offset);
    }

    static long getLong(MemorySegment segment, long offset) {
        return segment.get(LONG, offset);
    }

    static void putInt(MemorySegment segment, long offset, int value) {
        segment.set(INT, offset, value);
    }

    static void putLong(MemorySegment segment, long offset, long value) {
        segment.set(LONG, offset, value);
    }

    static void putShort(MemorySegment segment, long offset, int value) {
        segment.set(SHORT, offset, (short) value);
    }

    /** @param bytes a multiple of eight */
    static void zero(MemorySegment segment, long offset, int bytes) {
        for (int i = 0; i < bytes; i += 8) {
            putLong(segment, offset + i, 0);
        }
    }
}
