package io.hammer2.fs.inode;

import io.hammer2.fs.media.FileType;
import java.lang.foreign.MemorySegment;

/** Takes the entries of a directory listing with the attributes of what they name, one by one. */
@FunctionalInterface
public interface AttributesSink {
    /**
     * Takes one entry. Must not use other inodes meanwhile.
     *
     * @param attributes of the target; null for "." and "..", and where they cannot be read
     * @param inum of the target
     * @param type of the target, or null where the entry names none that exists
     * @param name its bytes, without terminator; valid during the call
     * @param nextCookie resumes after this entry, for as long as the volume exists
     * @return false when it is full; then this entry was not taken
     */
    boolean entry(Attributes attributes, long inum, FileType type, MemorySegment name, long nextCookie);
}
