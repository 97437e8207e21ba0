package io.hammer2.fs.simulation;

import io.hammer2.fs.NewInode;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** An inode of the model, or as it was seen on a mount. Never changed once the model has it: who changes one copies it first. */
final class ModelInode {
    /** A time that the model does not know, since the file system took it from its clock; or space. */
    static final long UNKNOWN = -1;

    final long inum;
    final FileType type;
    int mode;
    int uid;
    int gid;
    long nlink;
    int rmajor;
    int rminor;
    int uflags;
    long atime = UNKNOWN;
    long mtime = UNKNOWN;
    long ctime = UNKNOWN;
    private long btime = UNKNOWN;
    private long blocks512 = UNKNOWN;

    /** Of a file or symbolic link. */
    Content content = Content.EMPTY;

    /** Of a directory: inode numbers by name. */
    Map<String, Long> entries = Map.of();

    /** Of a directory. */
    long parent;

    /** How often it is open. */
    int opens;

    /** Whether it was made without a name and never had one. */
    boolean unnamed;

    private long digest;
    private boolean hasDigest;

    ModelInode(long inum, NewInode what) {
        this.inum = inum;
        this.type = what.type();
        this.mode = what.mode();
        this.uid = what.uid();
        this.gid = what.gid();
        this.rmajor = what.rmajor();
        this.rminor = what.rminor();
        this.nlink = 1;
    }

    /** As a mount shows it. */
    ModelInode(Attributes seen) {
        this.inum = seen.inum();
        this.type = seen.type();
        this.mode = seen.mode();
        this.uid = seen.uid();
        this.gid = seen.gid();
        this.nlink = seen.nlink();
        this.rmajor = seen.rmajor();
        this.rminor = seen.rminor();
        this.uflags = seen.uflags();
        this.atime = seen.atimeMicros();
        this.mtime = seen.mtimeMicros();
        this.ctime = seen.ctimeMicros();
        this.btime = seen.btimeMicros();
        this.blocks512 = seen.blocks512();
    }

    ModelInode copy() {
        return copyAs(inum);
    }

    /** The same with another number. */
    ModelInode copyAs(long number) {
        ModelInode copy = new ModelInode(number, new NewInode(type, mode, uid, gid, rmajor, rminor));
        copy.nlink = nlink;
        copy.uflags = uflags;
        copy.atime = atime;
        copy.mtime = mtime;
        copy.ctime = ctime;
        copy.content = content;
        copy.entries = entries;
        copy.parent = parent;
        copy.opens = opens;
        copy.unnamed = unnamed;
        return copy;
    }

    void forgetTimes() {
        atime = UNKNOWN;
        mtime = UNKNOWN;
        ctime = UNKNOWN;
    }

    boolean isDirectory() {
        return type == FileType.DIRECTORY;
    }

    /** To be changed, once. */
    Map<String, Long> entriesCopy() {
        return new TreeMap<>(entries);
    }

    Attributes attributes() {
        return new Attributes(
                inum,
                type,
                mode,
                uid,
                gid,
                nlink,
                content.size(),
                blocks512,
                atime,
                mtime,
                ctime,
                btime,
                rmajor,
                rminor,
                uflags);
    }

    /** Of all that a remount shows, times excepted. */
    long digest() {
        if (!hasDigest) {
            long x = Hash.mix(inum, type.code());
            x = Hash.mix(x, mode);
            x = Hash.mix(x, uid);
            x = Hash.mix(x, gid);
            x = Hash.mix(x, nlink);
            x = Hash.mix(x, (long) rmajor << 32 | rminor);
            x = Hash.mix(x, uflags);
            x = Hash.mix(x, content.hash());
            long sum = 0;
            for (Map.Entry<String, Long> entry : entries.entrySet()) {
                sum += Hash.mix(Hash.of(entry.getKey()), entry.getValue());
            }
            digest = Hash.mix(x, sum);
            hasDigest = true;
        }
        return digest;
    }

    /** Of what a remount does not show: users of what has no name, and times. */
    long hiddenDigest() {
        return Hash.mix(Hash.mix(Hash.mix(Hash.mix(inum, atime), mtime), ctime), opens);
    }

    /** How another, which was seen, differs from this; null if it does not. */
    String difference(ModelInode seen) {
        Attributes expected = attributes();
        Attributes found = seen.attributes();
        if (!Outcome.matches(expected, found)) {
            return "expected " + expected + ", found " + found;
        }
        if (content.hash() != seen.content.hash()) {
            return "content of inode " + inum + " differs, first at byte " + firstDifference(seen.content);
        }
        return Objects.equals(entries, seen.entries)
                ? null
                : "directory " + inum + ": expected " + entries + ", found " + seen.entries;
    }

    private long firstDifference(Content other) {
        int chunk = 1 << 16;
        for (long at = 0; at < Math.min(content.size(), 1 << 28); at += chunk) {
            byte[] ours = content.read(at, chunk);
            byte[] theirs = other.read(at, chunk);
            int mismatch = java.util.Arrays.mismatch(ours, theirs);
            if (mismatch >= 0) {
                return at + mismatch;
            }
        }
        return -1;
    }

    String summary() {
        return inum
                + (opens > 0 ? " open " + opens : "")
                + (isDirectory() ? " in " + parent + " " + entries : " " + type + " " + nlink);
    }

    @Override
    public String toString() {
        return attributes() + (isDirectory() ? " " + entries : "");
    }
}
