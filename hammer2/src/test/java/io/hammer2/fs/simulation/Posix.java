package io.hammer2.fs.simulation;

import io.hammer2.fs.AllocateMode;
import io.hammer2.fs.AttributeChange;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.RenameMode;
import io.hammer2.fs.StatFs;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import java.util.List;

/**
 * What {@link io.hammer2.fs.FileSystem} does, by values: a mounted file system and the model of one stand in for each other.
 * Names are bytes, each a char of the string.
 */
interface Posix {
    /** An entry of a directory. */
    record Entry(String name, long inum, FileType type) {}

    /** The inode number, or null when there is no such name. What else is said of it may be of a later moment. */
    Long lookup(long parent, String name);

    Attributes attributes(long inum);

    byte[] read(long inum, long offset, int length);

    byte[] readlink(long inum);

    long seekData(long inum, long offset);

    long seekHole(long inum, long offset);

    /**
     * All entries but "." and "..", by name.
     *
     * @param entriesPerCall after so many it asks again with the cookie; with {@link Integer#MAX_VALUE} the listing is a
     *     single operation, which happens at one moment
     */
    List<Entry> list(long inum, int entriesPerCall);

    StatFs statfs();

    void open(long inum);

    void openToWrite(long inum, boolean appends);

    void release(long inum);

    Attributes create(long parent, String name, NewInode what);

    Attributes createUnnamed(long parent, NewInode what);

    Attributes symlink(long parent, String name, byte[] target, NewInode what);

    Attributes link(long inum, long parent, String name);

    void unlink(long parent, String name);

    void rmdir(long parent, String name);

    void rename(long parent, String name, long newParent, String newName, RenameMode mode);

    Attributes setAttributes(long inum, AttributeChange change);

    /** Changes nothing that can be seen, now or later. */
    void setDataPolicy(long inum, int compAlgo, int checkAlgo);

    int write(long inum, long offset, byte[] from, int flags);

    void allocate(long inum, long offset, long length, AllocateMode mode);

    long copyRange(long from, long fromOffset, long to, long toOffset, long length);

    void fsync(long inum);

    void sync();
}
