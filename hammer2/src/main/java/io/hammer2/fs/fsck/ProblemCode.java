package io.hammer2.fs.fsck;

/** Kinds of findings. The words are those of the project's other checker, so that their reports can be compared. */
public enum ProblemCode {
    /** A copy of the volume header. */
    VOLHDR("volhdr"),
    /** Sizes, areas and volumes that a header describes. */
    GEOMETRY("geometry"),
    /** The super-root. */
    SROOT("sroot"),
    /** Root inode of a PFS. */
    PFS("pfs"),
    /** A block does not match the check code of its reference. */
    CHECK("check"),
    /** A block that the device does not give. */
    READ("read"),
    /** A block reference that breaks the rules by itself. */
    BREF("bref"),
    /** Key range of a block reference. */
    KEY("key"),
    /** Order of a block table. */
    ORDER("order"),
    /** Too many levels of indirect blocks. */
    DEPTH("depth"),
    /** Content of an inode. */
    INODE("inode"),
    /** Content of a directory entry. */
    DIRENT("dirent"),
    /** A name under a key that is not its hash. */
    HASH("hash"),
    /** File data that cannot be there or does not decompress. */
    DATA("data"),
    /** An entry without its inode. */
    DANGLING("dangling"),
    /** An inode without an entry. */
    ORPHAN("orphan"),
    /** A link count. */
    NLINKS("nlinks"),
    /** Two blocks in one place. */
    OVERLAP("overlap"),
    /** A freemap block. */
    FREEMAP("freemap"),
    /** A block in use that the freemap calls free. */
    FREEMAP_FREE("freemap-free"),
    /** As {@link #FREEMAP_FREE}, for blocks newer than the freemap: a read-write mount marks them first. */
    FREEMAP_LAG("freemap-lag"),
    /** A transaction id above its parent's. */
    TID("tid"),
    /** Space or inode counters of a reference. */
    COUNTERS("counters"),
    /** The verification is incomplete: a bound was met. */
    LIMIT("limit"),
    /** The verification is incomplete: the verifier itself failed. */
    INTERNAL("internal");

    private final String word;

    ProblemCode(String word) {
        this.word = word;
    }

    /** The word for reports. */
    public String word() {
        return word;
    }
}
