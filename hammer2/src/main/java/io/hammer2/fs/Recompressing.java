package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.BlockRewrite;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import java.util.ArrayList;
import java.util.List;

/** The operation that brings what is stored into the form that its file wants by now. */
final class Recompressing {
    private final Access access;

    Recompressing(Access access) {
        this.access = access;
    }

    /** {@link FileSystem#recompress}. */
    RecompressStep recompress(long inum, long from) {
        if (from < 0 || inum <= 0) {
            throw new FsException(Errno.EINVAL, "inode " + inum + " at " + from);
        }
        Topology topology = access.topology();
        access.begin(Access.INODE_RESERVE_BYTES, BlockRewrite.BLOCKS_MAX, false, false);
        try {
            Inode file = access.openExclusive(topology, inum);
            try {
                if (file.type() != FileType.REGULAR) {
                    throw new FsException(Errno.EINVAL, "inode " + inum + " is no file");
                }
                BlockRewrite rewrite = new BlockRewrite(
                        topology, access.pfs().buffers(), access.volume().extensions());
                BlockRewrite.Choice choice = rewrite.choose(file, from);
                if (!choice.blocks().isEmpty()) {
                    access.pfs().change(file);
                    rewrite.makeDirty(file, choice);
                }
                List<Long> places = new ArrayList<>();
                choice.blocks().forEach(block -> places.add(block.dataOff()));
                return new RecompressStep(
                        choice.next(), choice.seenCount(), choice.seenBytes(), places, choice.bytesThen());
            } finally {
                access.closeExclusive(file);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        } finally {
            access.end(false);
        }
    }
}
