package io.hammer2.fs.recover;

import io.hammer2.fs.media.InodeBlock;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Takes what {@link Salvage} finds. Names are bytes as on the medium, which may be anything: a hostile volume's too. */
public interface SalvageSink {
    /** Takes the content of a file. */
    @FunctionalInterface
    interface Content {
        /** @param bytes valid until the call returns */
        void bytes(long offset, MemorySegment bytes) throws IOException;
    }

    /** Hands over the content of a file once; answers how many of its blocks are damaged. */
    @FunctionalInterface
    interface Source {
        long read(Content into) throws IOException;
    }

    /** A directory, before what is in it. Told again for each version. */
    void directory(List<byte[]> path, InodeBlock inode) throws IOException;

    /**
     * Anything else, the newest version first. The same version may come several times.
     *
     * @param path the PFS, directories, and the name
     */
    void file(List<byte[]> path, InodeBlock inode, Source content) throws IOException;

    /** What is known of lies on damaged blocks: an inode, or {@code count} entries of a directory. */
    void missing(List<byte[]> path, long count) throws IOException;

    /** How far it is. */
    void progress(String phase, long done, long total);
}
