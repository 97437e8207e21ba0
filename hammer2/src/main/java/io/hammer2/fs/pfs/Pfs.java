package io.hammer2.fs.pfs;

import io.hammer2.fs.inode.InodeContent;
import io.hammer2.fs.media.BlockTable;
import java.util.Arrays;

/**
 * A PFS as it was committed.
 *
 * @param root its root directory's inode, whose table is also the index of all its inodes (section 8.2)
 */
public record Pfs(InodeContent root) {
    /** Its name. */
    public Label label() {
        byte[] name = root.block().name();
        // DragonFly compares it as a C string.
        int length = 0;
        while (length < name.length && name[length] != 0) {
            length++;
        }
        return Label.of(Arrays.copyOf(name, length));
    }

    /** All inodes by number, below keys with bit 63 set; the entries of the root directory above. */
    public BlockTable inodeIndex() {
        return root.table();
    }
}
