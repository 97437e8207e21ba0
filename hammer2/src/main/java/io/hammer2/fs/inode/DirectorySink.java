package io.hammer2.fs.inode;

import io.hammer2.fs.media.FileType;
import java.lang.foreign.MemorySegment;

/** Takes the entries of a directory listing, one by one. */
@FunctionalInterface
public interface DirectorySink {
    /**
     * Takes one entry. Must not use other inodes meanwhile.
     *
     * @param type of the target, or null where the entry names none that exists
     * @param name its bytes, without terminator; valid during the call
     * @param nextCookie resumes after this entry, for as long as the volume exists
     * @return false when it is full; then this entry was not taken
     */
    boolean entry(long inum, FileType type, MemorySegment name, long nextCookie);
}
