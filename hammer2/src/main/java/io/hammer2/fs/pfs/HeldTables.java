package io.hammer2.fs.pfs;

import io.hammer2.fs.media.BlockTable;
import java.util.List;

/** What is in use and what no super-root leads to: {@link OpenPfss#hold} keeps it from being given back as unused. */
public interface HeldTables {
    /** Root tables of PFSs: inodes and directory entries. */
    List<BlockTable> tables();
}
