package io.hammer2.fs.simulation;

import io.hammer2.fs.AllocateMode;
import io.hammer2.fs.AttributeChange;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.RenameMode;
import io.hammer2.fs.StatFs;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** The real thing; each operation on an LWKT thread. */
record MountedFileSystem(FileSystem fs) implements Posix {
    @Override
    public Long lookup(long parent, String name) {
        Attributes found = fs.lookup(parent, bytes(name));
        return found == null ? null : found.inum();
    }

    @Override
    public Attributes attributes(long inum) {
        return fs.attributes(inum);
    }

    @Override
    public byte[] read(long inum, long offset, int length) {
        byte[] into = new byte[length];
        int read = fs.read(inum, offset, MemorySegment.ofArray(into));
        return read == length ? into : Arrays.copyOf(into, read);
    }

    @Override
    public byte[] readlink(long inum) {
        byte[] into = new byte[Limits.SYMLINK_BYTES_MAX];
        return Arrays.copyOf(into, fs.readlink(inum, MemorySegment.ofArray(into)));
    }

    @Override
    public long seekData(long inum, long offset) {
        return fs.seekData(inum, offset);
    }

    @Override
    public long seekHole(long inum, long offset) {
        return fs.seekHole(inum, offset);
    }

    @Override
    public List<Entry> list(long inum, int entriesPerCall) {
        Listing listing = new Listing();
        do {
            listing.left = entriesPerCall;
            fs.readdir(inum, listing.cookie, listing::take);
        } while (listing.left == 0);
        listing.entries.sort(Comparator.comparing(Entry::name));
        return listing.entries;
    }

    /** Where a listing has come to. */
    private static final class Listing {
        private final List<Entry> entries = new ArrayList<>();
        private int dots;
        private long cookie;
        private int left;

        private boolean take(long inum, io.hammer2.fs.media.FileType type, MemorySegment bytes, long nextCookie) {
            if (left == 0) {
                return false;
            }
            left--;
            if (nextCookie <= cookie) {
                throw new AssertionError("cookie " + nextCookie + " after cookie " + cookie);
            }
            cookie = nextCookie;
            if (dots < 2) {
                dots++;
            } else {
                String name = new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
                entries.add(new Entry(name, inum, type));
            }
            return true;
        }
    }

    @Override
    public StatFs statfs() {
        return fs.statfs();
    }

    @Override
    public void open(long inum) {
        fs.open(inum);
    }

    @Override
    public void openToWrite(long inum, boolean appends) {
        fs.openToWrite(inum, appends);
    }

    @Override
    public void release(long inum) {
        fs.release(inum);
    }

    @Override
    public Attributes create(long parent, String name, NewInode what) {
        return fs.create(parent, bytes(name), what);
    }

    @Override
    public Attributes createUnnamed(long parent, NewInode what) {
        return fs.createUnnamed(parent, what);
    }

    @Override
    public Attributes symlink(long parent, String name, byte[] target, NewInode what) {
        return fs.symlink(parent, bytes(name), MemorySegment.ofArray(target), what);
    }

    @Override
    public Attributes link(long inum, long parent, String name) {
        return fs.link(inum, parent, bytes(name));
    }

    @Override
    public void unlink(long parent, String name) {
        fs.unlink(parent, bytes(name));
    }

    @Override
    public void rmdir(long parent, String name) {
        fs.rmdir(parent, bytes(name));
    }

    @Override
    public void rename(long parent, String name, long newParent, String newName, RenameMode mode) {
        fs.rename(parent, bytes(name), newParent, bytes(newName), mode);
    }

    @Override
    public Attributes setAttributes(long inum, AttributeChange change) {
        return fs.setAttributes(inum, change);
    }

    @Override
    public void setDataPolicy(long inum, int compAlgo, int checkAlgo) {
        fs.setDataPolicy(inum, compAlgo, checkAlgo);
    }

    @Override
    public int write(long inum, long offset, byte[] from, int flags) {
        return fs.write(inum, offset, MemorySegment.ofArray(from), flags);
    }

    @Override
    public void allocate(long inum, long offset, long length, AllocateMode mode) {
        fs.allocate(inum, offset, length, mode);
    }

    @Override
    public long copyRange(long from, long fromOffset, long to, long toOffset, long length) {
        return fs.copyRange(from, fromOffset, to, toOffset, length);
    }

    @Override
    public void fsync(long inum) {
        fs.fsync(inum);
    }

    @Override
    public void sync() {
        fs.sync();
    }

    private static MemorySegment bytes(String name) {
        return MemorySegment.ofArray(name.getBytes(StandardCharsets.ISO_8859_1));
    }
}
