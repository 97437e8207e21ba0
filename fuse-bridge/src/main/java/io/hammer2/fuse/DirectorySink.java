package io.hammer2.fuse;

import java.lang.foreign.MemorySegment;

/** Takes the entries of a directory, one by one, until it is full. */
@FunctionalInterface
public interface DirectorySink {
    /**
     * @param typeBits file type as in {@link NodeAttributes#TYPE_MASK}
     * @param name the bytes of the name, without a terminator; copied before this returns
     * @param nextCookie where a listing that ends after this entry goes on; never 0
     * @return false when full: the entry was not taken
     */
    boolean entry(long node, int typeBits, MemorySegment name, long nextCookie);
}
