package io.hammer2.fuse.bridge;

import io.hammer2.fs.FileSystem;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Answers {@link ControlRequests}, and Linux' own requests for the flags of an inode, by the family that knows the number; what
 * none knows is ENOTTY. A change is EROFS on what is mounted read-only; a change, or what permissions may hide, is EPERM to all but root
 * and the owner of the mount.
 */
final class Ioctls {
    private final int owner;
    private final boolean readOnly;
    private final List<RequestFamily> families;

    private Ioctls(int owner, boolean readOnly, List<RequestFamily> families) {
        this.owner = owner;
        this.readOnly = readOnly;
        this.families = families;
    }

    /** @param owner user id of who mounted it */
    static Ioctls of(FileSystem files, int owner, boolean readOnly) {
        return new Ioctls(
                owner,
                readOnly,
                List.of(
                        new LinuxFlags(files),
                        new InodeRequests(files),
                        new PfsRequests(files),
                        new PfsSetRequests(files),
                        new SubtreeRequests(files),
                        new BulkfreeRequests(files),
                        new SweepRequests(files),
                        new VolumeRequests(files),
                        new DestroyRequests(files)));
    }

    int answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (ControlRequests.isChange(command)) {
            requireWritable();
            requireOwner(call);
        } else if (ControlRequests.isDisclosure(command)) {
            requireOwner(call);
        }
        for (RequestFamily family : families) {
            if (family.answer(call, node, command, in, out)) {
                return 0;
            }
        }
        throw FuseErrno.ENOTTY.exception();
    }

    private void requireWritable() {
        if (readOnly) {
            throw FuseErrno.EROFS.exception();
        }
    }

    private void requireOwner(FuseCall call) {
        if (call.uid() != 0 && call.uid() != owner) {
            throw FuseErrno.EPERM.exception();
        }
    }
}
